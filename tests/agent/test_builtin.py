"""The built-in planner's guesses: counts become correlations, and only what can be the reason is a candidate."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.builtin.candidates import Compared, candidates, comparisons, phi, unions
from agent.thread import Left, ThreadView
from store.address import parse
from store.records import Experiment, Reading
from tools.scoring.concept import phrases

VISUAL, ANSWER = Reading(), Reading(scope="answer")
counts = st.integers(1, 60)


def told(phrase: str, active: int, inactive: int) -> dict[str, Any]:
    return {"phrase": phrase, "active": active, "inactive": inactive}


def experiment(
    number: int, tool: str, reading: Reading, result: dict[str, Any], concept: str = ""
) -> Experiment:
    words: dict[str, Any] = {
        "component": "language.3.mlp.1",
        "reading": reading.model_dump(),
        "concept": concept,
    }
    return Experiment(
        number=number,
        run="r",
        thread="language.3.mlp.1",
        step=0,
        call=number,
        tool=tool,
        arguments=words,
        seed=0,
        fingerprint="f",
        code="c",
        result=result,
    )


def view(*experiments: Experiment) -> ThreadView:
    return ThreadView(
        subject=parse("language.3.mlp.1"),
        target="t",
        family="llava",
        seed=0,
        step=1,
        left=Left(steps=9),
        experiments=experiments,
    )


def described(number: int, reading: Reading, phrases: list[Any], words: list[Any]) -> Experiment:
    return experiment(number, "describe", reading, {"n": 40, "calm": 40, "phrases": phrases, "words": words})


def compared(number: int, concept: str, rho: float, effect: float = 1.0) -> Experiment:
    quantities = {"effect": {"value": effect, "unit": "sd"}, "pearson": {"value": rho}}
    return experiment(number, "activations", VISUAL, {"quantities": quantities}, concept)


@given(counts, counts, st.data())
def test_phi_is_the_correlation_of_showing_a_phrase_with_being_active(
    active: int, calm: int, data: st.DataObject
) -> None:
    hits, misses = data.draw(st.integers(0, active)), data.draw(st.integers(0, calm))
    shows = np.array([1] * hits + [0] * (active - hits) + [1] * misses + [0] * (calm - misses))
    fires = np.array([1] * active + [0] * calm)
    expected = 0.0 if shows.std() == 0 else float(np.corrcoef(shows, fires)[0, 1])
    assert abs(phi(hits, active, misses, calm) - expected) < 1e-9


def test_the_best_phrase_over_all_readings_comes_first_and_rare_ones_are_left_out() -> None:
    found = candidates(
        view(
            described(1, VISUAL, [told("red thing", 30, 10), told("star", 3, 0)], []),
            described(2, ANSWER, [told("moon", 22, 18)], [told("answer: red", 38, 2)]),
        )
    )
    assert (found[0].concept, found[0].reading) == ("answer is red", ANSWER)
    assert "star" not in [one.concept for one in found]


def test_words_of_the_question_explain_nothing_where_only_the_picture_has_been_read() -> None:
    words = [told("kind: color", 38, 2), told("color", 38, 2), told("the", 40, 2)]
    assert candidates(view(described(1, VISUAL, [], words))) == []
    asked = [one.concept for one in candidates(view(described(1, ANSWER, [], words)))]
    assert set(asked) == {"question asks for color", "question names color"}


def test_comparisons_stand_in_the_order_of_their_correlations() -> None:
    found = comparisons(view(compared(1, "moon", 0.3), compared(2, "star", 0.5)))
    assert [(one.concept, one.rho) for one in found] == [("star", 0.5), ("moon", 0.3)]


def test_the_best_phrase_is_joined_with_those_that_say_something_else() -> None:
    def of(concept: str, rho: float) -> Compared:
        return Compared(concept, VISUAL, rho, compared(1, concept, rho))

    joined = unions([of("red thing", 0.5), of("large red thing", 0.45), of("star", 0.4), of("moon", 0.01)])
    assert "red thing | star" in joined
    assert "red thing | large red thing" not in joined
    assert not any("moon" in one for one in joined)
    assert unions([]) == []


def test_answers_with_signs_stand_in_brackets() -> None:
    (one,) = candidates(view(described(1, ANSWER, [], [told("answer: 3+4", 38, 2)])))
    assert one.concept == "[answer is 3+4]"
    assert list(phrases(one.concept)) == ["answer is 3+4"]
