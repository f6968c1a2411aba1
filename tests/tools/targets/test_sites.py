"""Site names are read back as they are written, and errors say which there are."""

from __future__ import annotations

import pytest

from store.address import CONNECTOR, Extent, Layers, parse
from store.errors import UserError
from tools.targets.sites import (
    ATTENTION_PLACES,
    CONNECTOR_OUT,
    LAYER_PLACES,
    Site,
    all_sites,
    parse_site,
    site_of,
)

EXTENT = Extent("some-llava", {"vision": Layers(3, 24, 2), "language": Layers(2, 28, 4)})


def test_every_sites_name_is_read_back() -> None:
    sites = list(all_sites(EXTENT))
    assert [parse_site(str(site), EXTENT) for site in sites] == sites
    assert len(sites) == 5 * len(LAYER_PLACES) + 3


@pytest.mark.parametrize(
    "text",
    [
        "language.3.mlp",
        "language.x.mlp.act",
        "mlp.act",
        "language.-1.mlp.act",
        "language.².mlp.act",
        "",
        "speech.0.embed",
    ],
)
def test_other_words_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(UserError, match="is not a site") as refused:
        parse_site(text)
    assert "such as `language.3.mlp.act`" in refused.value.hint


def test_a_layer_past_the_end_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(
        UserError, match=r'"language.9.mlp.act": some-llava has 2 language layers \(0–1\)'
    ) as refused:
        parse_site("language.9.mlp.act", EXTENT)
    assert refused.value.hint == 'did you mean "language.1.mlp.act"?'
    with pytest.raises(UserError, match="some-llava has no `cross` tower"):
        parse_site("cross.0.attn.z", EXTENT)


def test_cross_attention_has_no_stream_and_no_neurons() -> None:
    extent = Extent("some-blip", {"question": Layers(1, 28, 4), "cross": Layers(1, 0, 4)})
    assert [str(site) for site in all_sites(extent) if site.tower == "cross"] == [
        f"cross.0.{place}" for place in ATTENTION_PLACES
    ]
    with pytest.raises(UserError, match="the `cross` tower of some-blip is attention alone") as refused:
        parse_site("cross.0.mlp.act", extent)
    assert refused.value.hint.startswith("it has attn.q")
    assert site_of(parse("cross.0.head.3", extent)) == (parse_site("cross.0.attn.z"), 3)


@pytest.mark.parametrize(
    ("address", "site", "unit"),
    [
        ("language.3.mlp.17", "language.3.mlp.act", 17),
        ("vision.2.head.0", "vision.2.attn.z", 0),
        ("language.1.resid", "language.1.resid_post", None),
    ],
)
def test_a_component_lives_in_a_site(address: str, site: str, unit: int | None) -> None:
    assert site_of(parse(address)) == (parse_site(site), unit)


def test_the_connector_lives_in_its_output_and_a_latent_in_no_site() -> None:
    assert site_of(CONNECTOR) == (CONNECTOR_OUT, None)
    with pytest.raises(UserError, match="has no site of its own"):
        site_of(parse("language.1.sae[colors].3"))


def test_parts_of_attention_are_heads() -> None:
    assert Site("attn.z", "language", 0).headed and not Site("attn.out", "language", 0).headed
