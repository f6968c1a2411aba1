"""Both reproductions end to end on a small target: what they find is measured as elsewhere, and told in one record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.reproduce.effects import head_effects
from experiments.reproduce.items import check_kinds, items_of
from experiments.reproduce.measured import couples_of
from experiments.reproduce.notice import lost_without
from experiments.reproduce.roles import REGIONS, looking
from experiments.reproduce.setting import editor_of, heads_of
from experiments.workplace import open_workplace
from store.database import open_store
from store.errors import UsageError, UserError
from tests.labelling import Place, Said
from tools.budget import Budget
from tools.context import ToolContext
from tools.methods.duels import Duel
from tools.methods.manifold import spots, traces
from tools.methods.transplants import transplanted
from tools.stimuli import Pair

HEADS = "vision.3.head.*,language.4.head.*"
IMAGES = ("--images", "tableau:40/24/40")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, committed_weights: Path) -> Place:
    folder = tmp_path_factory.mktemp("reproduce")
    return Place(folder, folder / "cache")


@pytest.fixture(scope="module")
def context(place: Place) -> Iterator[ToolContext]:
    with open_store(place.store) as record:
        workplace = open_workplace(record, "tableau-llava", images="tableau:40/24/40")
        yield workplace.context(Budget(), index=False)


@pytest.fixture(scope="module")
def noticed(place: Place) -> Said:
    figure = place.folder / "notice.png"
    words = ("--kinds", "color,background", "--n", "4", "--among", HEADS, *IMAGES, "--figure", str(figure))
    return place.says("reproduce", "notice", *words, "--json")


@pytest.fixture(scope="module")
def seamed(place: Place) -> Said:
    figure = place.folder / "vseam.png"
    words = ("--n", "4", "--held-out", "4", "--k", "1", "--among", "language.4.head.*", *IMAGES)
    return place.says("reproduce", "vseam", *words, "--figure", str(figure), "--json")


def test_effects_of_heads_are_those_of_transplants(context: ToolContext) -> None:
    heads = heads_of(context, "vision.2.head.1,language.3.head.*")
    items = items_of(context, editor_of(context), "color", 4, "test", words=False)
    couples = couples_of(items, "SIP", 0.0, 0)
    found = head_effects(context, couples, heads)
    duels = []
    for couple in couples:
        first, second = (context.adapter.token(word) or 0 for word in couple.answers)
        duels.append(Duel(Pair("", couple.corrupt, couple.clean, ""), first, second, couple.answers))
    told = transplanted(context, duels, [[head] for head in heads])
    np.testing.assert_allclose(found.clean, told.clean, atol=1e-4)
    np.testing.assert_allclose(found.restored, told.denoised - told.corrupt, atol=1e-4)


def test_a_trace_is_the_mean_norm_and_the_mean_vector_of_the_tokens(context: ToolContext) -> None:
    stimuli = context.images.ask("color", 3, 1)
    where = [spot for spot in spots(context.extent) if str(spot) == "language.2 words"]
    (found,) = traces(context.engine, stimuli, where)
    outcome = context.engine.plain(stimuli, (where[0].site,))
    for row in range(3):
        words = outcome.batch.question[row].clone()
        words[outcome.batch.answer[row]] = True
        stream = outcome.reads[where[0].site][row, words].double()
        assert found.norms[row] == pytest.approx(float(stream.norm(dim=1).mean()), rel=1e-5)
        np.testing.assert_allclose(found.means[row], stream.mean(dim=0).numpy(), atol=1e-5)


def test_attention_to_all_regions_of_a_picture_is_all_the_attention_it_gets(context: ToolContext) -> None:
    items = items_of(context, editor_of(context), "color", 4, "test", words=False)
    found = looking(context, [item.clean for item in items.items], heads_of(context, HEADS))
    parts = slice(0, REGIONS.index("outliers"))
    np.testing.assert_allclose(found.seen[..., parts].sum(axis=2), 1, atol=1e-5)
    np.testing.assert_allclose(found.even[..., parts].sum(axis=2), 1, atol=1e-9)


def test_lost_heads_stand_beside_random_heads_that_are_not_universal(context: ToolContext) -> None:
    heads = heads_of(context, "language.4.head.*")
    found = lost_without(context, heads[:3], heads, ["color"], 4)
    assert found is not None and found.silenced == (heads[0],)
    assert len(found.on.plain) == len(found.on.control) == 4 and set(found.on.plain) <= {0.0, 1.0}
    assert lost_without(context, heads, heads, ["color"], 4) is None


def test_notice_tells_effects_controls_and_a_finding(noticed: Said, place: Place) -> None:
    assert noticed.code == 0, noticed.err
    told = noticed.json
    color = told["kinds"]["color"]["corruptions"]
    assert set(color) == {"SIP", "STR", "GN"} and set(told["kinds"]["background"]["corruptions"]) == {
        "SIP",
        "GN",
    }
    for found in color.values():
        assert found["n"] == 4 and found["gap"]["value"] > 1 and len(found["shares"]) == told["heads"]
    assert abs(color["SIP"]["untrained_gap"]["value"]) < 0.5
    assert all(
        color["STR"]["shares"][head]["value"] == 0 for head in color["STR"]["shares"] if "vision" in head
    )
    assert told["finding"] and (place.folder / "notice.png").stat().st_size > 20_000


def test_noise_leads_further_from_the_data_than_an_edited_picture(noticed: Said) -> None:
    for measure in noticed.json["distances"]["scopes"]["picture"].values():
        assert measure["GN − SIP"]["ci"][0] > 0 and measure["SIP"]["value"] < measure["GN"]["value"]


def test_vseam_tells_levels_sharing_and_rescaling(seamed: Said, place: Place) -> None:
    assert seamed.code == 0, seamed.err
    told = seamed.json
    assert set(told["levels"]) == set(told["rescaling"]) == {"object", "attribute", "relation"}
    for one in told["rescaling"].values():
        assert len(one["louder"]) <= 1 and not set(one["louder"]) & set(one["quieter"])
        assert {"own", "others", "worst_other", "raises", "keeps_others"} <= set(one)
    assert 0 <= told["sharing"]["positive"]["within"]["value"] <= 1 and told["finding"]
    assert (place.folder / "vseam.png").stat().st_size > 20_000


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("notice", "--target", "tableau-clip"), 1, "compares pictures with texts"),
        (("vseam", "--target", "tableau-lava"), 1, "`tableau-lava`"),
        (("notice", "--figure", "notice.xyz"), 2, "notice.xyz"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_bad_input_is_refused_in_a_sentence(
    words: tuple[str, ...], code: int, said: str, place: Place
) -> None:
    found = place.says("reproduce", *words)
    assert found.code == code and said in found.err and found.err.count("Error: ") == 1


def test_a_target_that_was_never_trained_has_no_gap_to_share_out(place: Place) -> None:
    words = (
        "--target",
        "tableau-llava-random",
        "--kinds",
        "color",
        "--n",
        "4",
        "--among",
        "language.5.head.*",
    )
    found = place.says("reproduce", "notice", *words, *IMAGES)
    assert found.code == 1 and "hardly tells the two sides of any pair apart" in found.err


@pytest.mark.parametrize(
    ("kinds", "said"),
    [(["color", "smell"], "`smell` is not a kind"), (["color", "color"], "each once"), ([], "must be named")],
)
def test_kinds_that_nobody_can_edit_for_are_a_usage_mistake(
    kinds: list[str], said: str, context: ToolContext
) -> None:
    with pytest.raises(UsageError, match=said):
        check_kinds(kinds, context.images.kinds)


def test_pictures_without_known_answers_are_refused() -> None:
    with pytest.raises(UserError, match="nobody knows which edits"):
        check_kinds(["color"], ())


@pytest.mark.parametrize("among", ["language.2.mlp.3", "language.2.head.1"])
def test_components_that_are_no_heads_or_too_few_are_a_usage_mistake(
    among: str, context: ToolContext
) -> None:
    with pytest.raises(UsageError, match="heads"):
        heads_of(context, among)


def test_pictures_that_nobody_edits_are_refused(context: ToolContext) -> None:
    with pytest.raises(UserError, match="no editor"):
        editor_of(replace(context, editor=None))
