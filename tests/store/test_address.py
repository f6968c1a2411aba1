"""Addresses are parsed in one place: what they name, and what a wrong one is answered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.address import CONNECTOR, Address, Extent, Layers, parse, parse_set
from store.errors import UserError

EXTENT = Extent("tiny", {"vision": Layers(2, 8, 2), "language": Layers(3, 6, 4)})

CROSSED = Extent(
    "crossed",
    {
        "vision": Layers(2, 8, 2),
        "question": Layers(2, 6, 4),
        "cross": Layers(2, 0, 4),
        "recall": Layers(2, 0, 4),
        "language": Layers(2, 6, 4),
    },
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("language.2.mlp.5", Address("language", 2, "mlp", 5)),
        ("vision.0.head.1", Address("vision", 0, "head", 1)),
        ("language.1.resid", Address("language", 1, "resid")),
        ("language.1.sae[top-k.2].1033", Address("language", 1, "sae", 1033, "top-k.2")),
        ("connector", CONNECTOR),
    ],
)
def test_an_address_and_its_text_are_the_same(text: str, address: Address) -> None:
    assert parse(text) == address and str(address) == text


@given(st.sampled_from([EXTENT, CROSSED]), st.data())
def test_every_component_of_a_target_is_found_by_its_name(extent: Extent, data: st.DataObject) -> None:
    address = data.draw(st.sampled_from(list(extent.all())))
    assert parse(str(address), extent) == address
    assert parse_set(str(address), extent) == [address]


def test_cross_attention_has_heads_and_nothing_else() -> None:
    assert [str(one) for one in parse_set("cross.1.head.*", CROSSED)] == [
        f"cross.1.head.{n}" for n in range(4)
    ]
    assert {one.part for one in CROSSED.all() if one.tower in ("cross", "recall")} == {"head"}
    for text in ("cross.0.mlp.3", "recall.*.mlp.*", "cross.1.resid"):
        with pytest.raises(UserError, match="is attention alone, it has heads and nothing else"):
            parse_set(text, CROSSED)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("language.*.head.*", 12),
        ("language.1.mlp[0:4]", 4),
        ("language.1.mlp[4:]", 2),
        ("language.[1:3].mlp[:2]", 4),
        ("vision.*.mlp.3", 2),
        ("vision.0.head.0, vision.0.head.*", 2),
    ],
)
def test_a_set_names_each_component_once(text: str, count: int) -> None:
    found = parse_set(text, EXTENT)
    assert len(found) == len(set(found)) == count


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("neuron 5", '"neuron 5" is not a component address', "such as `language.3.mlp.17`"),
        ("language.3.mlp.1", "tiny has 3 language layers (0–2)", 'did you mean "language.2.mlp.1"?'),
        ("language.2.mlp.6", "has 6 neurons (0–5)", 'did you mean "language.2.mlp.5"?'),
        ("language.2.head.4", "has 4 heads (0–3)", 'did you mean "language.2.head.3"?'),
        ("cross.0.head.0", "tiny has no `cross` tower", "it has vision, language"),
        ("language.2.mlp[0:7]", "has 6 neurons (0–5)", "stay below 6"),
        ("language.2.mlp[3:3]", "`[3:3]` is empty", "`[3:6]` goes to the end"),
        (" , ", "names no component", "such as"),
    ],
)
def test_a_wrong_address_is_answered_with_what_is_there(text: str, message: str, hint: str) -> None:
    with pytest.raises(UserError) as refused:
        parse_set(text, EXTENT)
    assert message in refused.value.message and refused.value.hint.startswith(hint)
    assert refused.value.kind == "address"
