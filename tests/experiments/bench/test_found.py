"""A truth beside what was said of it: exact where all is said, exceptions named or invented."""

from __future__ import annotations

import pytest

from experiments.bench.found import Found, Truth, compared
from store.records import Description

PLACE = "vision.0.mlp.1"


def found(truth: Truth, concept: str, text: str = "") -> Found:
    return Found(truth, Description(component=PLACE, status="verified", concept=concept, text=text))


EXCEPT_STRIPED = Truth(PLACE, "exception", "red thing", exception="striped thing")
EXCEPT_CORNER = Truth(PLACE, "exception", "red thing", exception="upper left")


@pytest.mark.parametrize(
    ("truth", "concept", "text", "exact"),
    [
        (EXCEPT_STRIPED, "red thing & !striped thing", "", True),
        (EXCEPT_STRIPED, "crimson & !striped red thing", "", True),
        (EXCEPT_STRIPED, "red thing except striped", "", True),
        (EXCEPT_STRIPED, "red star except striped", "", False),
        (EXCEPT_CORNER, "red thing except in the upper left", "", True),
        (EXCEPT_CORNER, "red thing except in the lower left", "", False),
        (EXCEPT_CORNER, "red thing in the upper left", "", False),
        (EXCEPT_STRIPED, "red thing", "Red things, except striped ones [e3].", True),
        (EXCEPT_CORNER, "red thing", "Red things, except in the upper left quarter [e3].", True),
        (
            EXCEPT_CORNER,
            "red thing",
            "Red things in the upper left quarter, except striped ones [e3].",
            False,
        ),
        (EXCEPT_CORNER, "red thing", "Red things [e1], but not in the lower left quarter [e3].", False),
        (EXCEPT_STRIPED, "star & !striped thing", "", False),
        (EXCEPT_STRIPED, "red thing", "Red things, often striped ones [e1].", False),
    ],
)
def test_an_exception_unit_is_exact_where_concept_and_exception_are_said(
    truth: Truth, concept: str, text: str, exact: bool
) -> None:
    assert found(truth, concept, text).match.exact == exact


def test_an_exception_can_be_named_beside_a_wrong_concept() -> None:
    one = found(EXCEPT_STRIPED, "star & !striped thing")
    assert one.named_exception and not one.match.exact and one.match.recall == 0


def test_an_exception_of_a_unit_that_has_none_is_invented() -> None:
    single = Truth(PLACE, "single", "red thing")
    assert found(single, "red thing & !striped thing").invented_exception
    assert found(single, "red thing except striped").invented_exception
    assert found(single, "red thing", "Red things, except small ones [e1].").invented_exception
    assert not found(single, "red thing", "Red things [e1].").invented_exception
    assert not found(Truth(PLACE, "and_not", "star & !ring"), "star & !ring").invented_exception


def test_truths_can_be_read_aloud() -> None:
    assert str(EXCEPT_CORNER) == "red thing, except upper left"
    assert str(Truth(PLACE, "two_faced", "star | moon", weaker=0.5)) == "star | 0.5 moon"


def test_a_component_that_was_never_described_is_not_passed_over() -> None:
    with pytest.raises(KeyError):
        compared([EXCEPT_CORNER], [])
