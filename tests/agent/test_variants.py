"""Variants of a favorite: wider words, further things, conditions and exceptions, each tried once."""

from __future__ import annotations

from typing import Any

import pytest

from agent.builtin.candidates import Compared
from agent.builtin.variants import deciding, length, pairs_of, variants
from tests.agent.test_builtin import VISUAL, compared, described, experiment, told, view
from tools.scoring.normal import canonical


def lead(phrase: str, z: float) -> dict[str, Any]:
    return {"phrase": phrase, "n": 50, "without": 50, "effect": z / 10, "z": z}


def left_open(number: int, concept: str, **leads: list[dict[str, Any]]) -> Any:
    result = {"missed": [], "sharper": [], "spoiled": [], **leads}
    return experiment(number, "unexplained", VISUAL, result, concept)


def favorite(concept: str, effect: float = 0.5) -> Compared:
    return Compared(concept, VISUAL, 0.5, compared(1, concept, 0.5, effect))


def test_leads_become_alternatives_conditions_and_exceptions() -> None:
    seen = view(
        compared(1, "star", 1.0),
        left_open(
            2,
            "star",
            missed=[lead("moon", 9.0), lead("ring", 2.0)],
            sharper=[lead("dark background", 8.0)],
            spoiled=[lead("red star", -7.0)],
        ),
    )
    assert variants(seen, favorite("star")) == [
        "moon | star",
        "dark background & star",
        "star except red",
        "star & !red star",
    ]


def test_a_place_that_spoils_a_thing_is_its_exception() -> None:
    spoiled = [lead("star in the upper left", -7.0)]
    found = variants(view(left_open(2, "star", spoiled=spoiled)), favorite("star"))
    assert found == ["star except in the upper left", "star & !star in the upper left"]


def test_an_exception_is_made_once() -> None:
    concept = "star except red"
    spoiled = [lead("striped star", -7.0)]
    found = variants(view(left_open(2, concept, spoiled=spoiled)), favorite(concept))
    assert found == ["star except red & !striped star"]


@pytest.mark.parametrize(
    ("concept", "sharper", "made"),
    [
        ("striped heart", "striped green thing", "green striped heart"),
        ("striped green thing", "striped heart", "green striped heart"),
        ("small red thing", "small striped thing", "striped small red thing"),
        ("red star", "red moon", "red moon & red star"),
        ("striped heart", "green thing", "green thing & striped heart"),
    ],
)
def test_a_lead_that_shares_a_word_is_said_of_the_same_thing(concept: str, sharper: str, made: str) -> None:
    seen = view(left_open(2, concept, sharper=[lead(sharper, 7.0)]))
    assert variants(seen, favorite(concept)) == [made]


def test_places_and_exceptions_count_as_phrases_do() -> None:
    assert length("star") == length("green striped star") == 1
    assert length("star in the upper left") == length("star except red") == length("star | moon") == 2


def test_a_second_thing_that_does_less_is_also_tried_as_a_part_that_counts_for_less() -> None:
    seen = view(compared(1, "star", 0.5), left_open(2, "star", missed=[lead("moon", 9.0)]))
    assert variants(seen, favorite("star", 1.5)) == ["moon | star", canonical("1.0 star + 0.6 moon")]
    weighed = left_open(3, "1.0 star + 0.6 moon", missed=[lead("ring", 9.0)])
    assert variants(view(weighed), favorite("1.0 star + 0.6 moon")) == []


def test_a_lead_that_says_a_phrase_more_exactly_takes_its_place() -> None:
    seen = view(compared(1, "star", 1.0), left_open(2, "star", sharper=[lead("small star", 8.0)]))
    assert variants(seen, favorite("star")) == ["small star"]


def test_a_phrase_of_a_combination_is_tried_in_wider_words() -> None:
    phrases = [told("ring", 30, 10), told("triangle", 30, 10), told("small triangle", 20, 5)]
    seen = view(described(1, VISUAL, phrases, []), compared(2, "ring & small triangle", 1.0))
    assert variants(seen, favorite("ring & small triangle")) == ["ring & triangle"]


def test_what_has_been_compared_is_not_tried_again_in_whatever_order() -> None:
    seen = view(
        compared(1, "star", 1.0),
        compared(2, "star | moon", 1.0),
        left_open(3, "star", missed=[lead("moon", 9.0)]),
    )
    assert variants(seen, favorite("star")) == []


def test_words_that_all_questions_have_are_no_leads() -> None:
    seen = view(compared(1, "star", 1.0), left_open(2, "star", missed=[lead("question names the", 9.0)]))
    assert variants(seen, favorite("star")) == []


def test_every_phrase_of_the_picture_is_tested_where_it_decides() -> None:
    found = dict(deciding("star & !dark background & question asks color"))
    assert set(found) == {"star", "dark background"}
    assert found["dark background"].sign == -1
    assert canonical(found["star"].given) == canonical("!dark background & question asks color")


def test_pairs_belong_to_a_concept_when_they_were_made_under_its_condition() -> None:
    def pairs(number: int, given: str) -> Any:
        made = experiment(number, "make_pairs", VISUAL, {}, "star")
        return made.model_copy(update={"arguments": {**made.arguments, "given": given}})

    seen = view(pairs(1, ""), pairs(2, "moon"))
    assert [one.experiment.number for one in pairs_of(seen, "moon & star", VISUAL)] == [2]
    assert [one.experiment.number for one in pairs_of(seen, "star", VISUAL)] == [1]
