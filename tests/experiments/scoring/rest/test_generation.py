"""Generation: pictures made from a unit's own concept light it, those made from other words do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from experiments.scoring.rest.generation import PICTURES, generation, prompt, ways
from experiments.scoring.rest.sealed import Sealed, Unmeasured
from store.records import Reading
from tests.experiments.scoring.rest.known import DEAD, NOISE, RED, RED_STAR, STAR, UNITS, frozen
from tools.scoring.concept import read


@pytest.mark.parametrize("unit", [RED_STAR])
def test_pictures_made_from_the_words_light_the_unit_and_others_do_not(sealed: Sealed, unit: str) -> None:
    found = generation(sealed, frozen(unit, UNITS[unit][1]))["generation"]
    assert found.value > 0.9 and found.n == PICTURES and found.split == "test"
    assert found.null is not None and found.null < 0.1


@pytest.mark.parametrize(("unit", "concept"), [(STAR, "moon"), (RED_STAR, "blue thing"), (NOISE, "red star")])
def test_pictures_made_from_other_words_than_the_units_light_it_no_more_than_any(
    sealed: Sealed, unit: str, concept: str
) -> None:
    found = generation(sealed, frozen(unit, concept))["generation"]
    assert found.value < 0.2 and found.ci[0] <= (found.null or 0) + 0.01


def test_every_picture_holds_its_concept_even_where_words_rule_things_out(sealed: Sealed) -> None:
    found = generation(sealed, frozen(RED, "red thing & !star"))["generation"]
    assert found.n == PICTURES


@pytest.mark.parametrize(
    ("concept", "expected"),
    [
        ("red star", ["a red star"]),
        ("orange moon & dark background", ["an orange moon and a dark background"]),
        ("star | moon", ["a star", "a moon"]),
        ("(star | moon) & !red thing", ["a star", "a moon"]),
        ("0.7 star + 0.3 (moon & ring)", ["a star", "a moon and a ring"]),
        ("!star", []),
    ],
)
def test_a_prompt_says_what_makes_the_concept_true(concept: str, expected: list[str]) -> None:
    assert [prompt(way) for way in ways(read(concept))] == expected


@pytest.mark.parametrize(
    ("component", "concept", "told"),
    [
        (RED, "!red thing", "no picture can be made from the words"),
        (RED, "question asks color", "no picture can be made from the words"),
        (DEAD, "red thing", "active on no test picture"),
    ],
)
def test_what_can_not_be_made_is_not_measured(
    sealed: Sealed, component: str, concept: str, told: str
) -> None:
    with pytest.raises(Unmeasured, match=told):
        generation(sealed, frozen(component, concept))


def test_neither_is_what_is_read_at_words_or_made_by_nobody(sealed: Sealed) -> None:
    with pytest.raises(Unmeasured, match="without a question"):
        generation(sealed, frozen(RED, "red thing", Reading(scope="answer")))
    place = sealed.workplace
    bare = Sealed(replace(place, world=replace(place.world, scorer_editor=None)))
    with pytest.raises(Unmeasured, match="made to order"):
        generation(bare, frozen(RED, "red thing"))
