"""Where a phrase decides a concept: by truth tables."""

from __future__ import annotations

from itertools import product

import pytest

from tools.scoring.concept import concept_values, phrases
from tools.scoring.derivative import decides

CONCEPTS = [
    "a",
    "a | b",
    "a & b",
    "a & !b",
    "(a & b) | c",
    "(a | b) & !c",
    "a & b & !c",
    "!a | b & c",
    "(a | b) & (c | d)",
]


def truth(concept: str, world: dict[str, bool]) -> bool:
    return bool(concept_values(concept, lambda phrase: float(world[phrase])) > 0.5)  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize("concept", CONCEPTS)
def test_the_phrase_changes_the_concept_where_the_condition_holds_and_nowhere_else(concept: str) -> None:
    names = phrases(concept)
    for phrase in names:
        found = decides(concept, phrase)
        assert found is not None
        for values in product([False, True], repeat=len(names)):
            world = dict(zip(names, values, strict=True))
            with_, without = truth(concept, world | {phrase: True}), truth(concept, world | {phrase: False})
            given = truth(found.given, world) if found.given else True
            assert (with_ != without) == given
            if given:
                assert with_ == (found.sign > 0)


def test_a_condition_never_speaks_of_the_phrase_itself() -> None:
    for concept in CONCEPTS:
        for phrase in phrases(concept):
            found = decides(concept, phrase)
            assert found is not None and (not found.given or phrase not in phrases(found.given))


def test_a_phrase_that_decides_nothing_or_both_ways_has_no_condition() -> None:
    assert decides("a | b", "c") is None
    assert decides("a & (b | !b)", "b") is None
    assert decides("(a & !b) | (b & !a)", "a") is None


def test_in_a_sum_a_phrase_decides_as_in_its_own_part() -> None:
    found = decides("0.7 a + 0.3 (b & c)", "b")
    assert found is not None and (found.given, found.sign) == ("c", 1)
