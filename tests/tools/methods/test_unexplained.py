"""`unexplained` finds what a concept leaves open: a second thing, a condition, an exception."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tools.methods.conftest import Caller
from tools.context import ToolContext
from tools.methods.spoken import spoken
from tools.methods.unexplained import Lead, _leads

RANDOM = np.random.default_rng(0)
SAID = [
    frozenset(word for word, there in zip(("star", "moon", "dark"), row, strict=True) if there)
    for row in RANDOM.random((400, 3)) < 0.5
]


def leads(values: np.ndarray, *, where: str, holds: bool) -> list[Lead]:
    return _leads(SAID, values, np.array([(where in said) == holds for said in SAID]))


def noisy(truth: list[bool]) -> np.ndarray:
    return np.array(truth, float) + 0.2 * RANDOM.standard_normal(len(truth))


def test_a_second_thing_is_missed_where_the_first_is_not() -> None:
    values = noisy(["star" in said or "moon" in said for said in SAID])
    first = leads(values, where="star", holds=False)[0]
    assert first.phrase == "moon" and first.z > 10
    assert first.effect == pytest.approx(1, abs=0.1)


def test_a_condition_sharpens_and_an_exception_spoils() -> None:
    needs = leads(noisy(["star" in said and "dark" in said for said in SAID]), where="star", holds=True)[0]
    avoids = leads(noisy(["star" in said and "dark" not in said for said in SAID]), where="star", holds=True)[
        0
    ]
    assert (needs.phrase, avoids.phrase) == ("dark", "dark")
    assert needs.z > 10 > -10 > avoids.z


def test_where_the_concept_is_all_there_is_no_lead_is_sure() -> None:
    values = noisy(["star" in said for said in SAID])
    for holds in (True, False):
        assert all(abs(lead.z) < 4 for lead in leads(values, where="star", holds=holds))


def test_a_phrase_of_nearly_no_picture_is_no_lead() -> None:
    said = [frozenset({"rare"}) if number < 5 else frozenset() for number in range(100)]
    assert _leads(said, np.arange(100.0), np.ones(100, np.bool_)) == []


def test_lists_are_of_the_right_signs_and_strongest_first(do: Caller) -> None:
    result = do("unexplained", component="language.0.mlp.3", concept="red", n=64).result
    assert -1 <= result["quantities"]["pearson"]["value"] <= 1
    assert all(lead["z"] > 0 for lead in result["missed"] + result["sharper"])
    assert all(lead["z"] < 0 for lead in result["spoiled"])
    for name in ("missed", "sharper", "spoiled"):
        sizes = [abs(lead["z"]) for lead in result[name]]
        assert sizes == sorted(sizes, reverse=True)


def test_what_a_stimulus_is_said_to_show_can_stand_in_a_concept(context: ToolContext) -> None:
    stimuli = [context.images.asked(number) for number in range(6)]
    pictures = spoken(context, stimuli, of_question=False)
    asked = spoken(context, stimuli, of_question=True)
    assert any("red" in said for said in pictures)
    for before, after, stimulus in zip(pictures, asked, stimuli, strict=True):
        assert before < after and "question names color" in after and "question asks for color" in after
        assert (f"answer is {stimulus.answer}" in after) == bool(stimulus.answer)
