"""A test by pairs that left its question open is repeated with more pairs, once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agent.builtin.closer import MORE_PAIRS, PAIRS, look_closer
from agent.builtin.predictions import THRESHOLD, pair_prediction, prediction
from agent.builtin.variants import deciding, pairs_of
from agent.thread import Decided, Stated, ThreadView
from agent.verdicts import judge
from store.records import Experiment
from tests.agent.test_builtin import VISUAL, experiment, view

LEAST = THRESHOLD / 2
STAR = dict(deciding("star"))["star"]


def comparison(number: int) -> Experiment:
    quantities = {
        "effect": {"value": 1.0, "unit": "sd", "ci": (0.8, 1.2), "n": 400},
        "pearson": {"value": 0.6},
    }
    return experiment(number, "activations", VISUAL, {"quantities": quantities}, "star")


def pairs(number: int, ci: tuple[float, float], n: int = PAIRS, came_about: int | None = None) -> Experiment:
    effect: dict[str, Any] = {"value": sum(ci) / 2, "unit": "sd", "ci": ci, "control": 0.0}
    effect["n"] = n if came_about is None else came_about
    made = experiment(number, "make_pairs", VISUAL, {"quantities": {"effect": effect}}, "star")
    return made.model_copy(update={"arguments": {**made.arguments, "given": "", "n": n}})


def after(*tested: Experiment) -> ThreadView:
    """A thread in which `star` was compared, supported, and put to tests by pairs."""
    compared = comparison(1)
    believed = Stated(1, 0, prediction("star", VISUAL))
    asked = Stated(2, 0, pair_prediction("star", "star", STAR, VISUAL))
    stated = (replace(believed, verdicts=(judge(believed, compared),)), asked)
    return replace(view(compared, *tested), stated=stated)


def test_an_interval_that_holds_the_threshold_asks_for_more_pairs() -> None:
    decision = look_closer(after(pairs(2, (LEAST - 0.1, LEAST + 0.3))))
    assert decision is not None
    (call,) = decision.calls  # type: ignore[union-attr]
    assert (call.tool, call.arguments["concept"], call.arguments["n"]) == ("make_pairs", "star", MORE_PAIRS)
    assert call.arguments["skip"] == PAIRS
    assert decision.verdicts[0].outcome == "inconclusive"  # type: ignore[union-attr]
    assert decision.propose == (pair_prediction("star", "star", STAR, VISUAL),)  # type: ignore[union-attr]


def test_pairs_that_decided_are_not_repeated() -> None:
    assert look_closer(after(pairs(2, (LEAST + 0.1, LEAST + 0.3)))) is None
    assert look_closer(after(pairs(2, (LEAST - 0.4, LEAST - 0.1)))) is None


def test_pairs_of_which_there_are_no_more_are_not_asked_for_again() -> None:
    assert look_closer(after(pairs(2, (LEAST - 0.1, LEAST + 0.3), came_about=PAIRS - 1))) is None


def test_more_pairs_are_asked_for_once_also_where_that_was_refused() -> None:
    seen = after(pairs(2, (LEAST - 0.1, LEAST + 0.3)))
    decision = look_closer(seen)
    assert decision is not None
    assert look_closer(replace(seen, decided=(Decided(1, decision),))) is None


def test_of_a_repeated_test_the_last_counts() -> None:
    seen = after(pairs(2, (LEAST - 0.1, LEAST + 0.3)), pairs(3, (LEAST, LEAST + 0.2), MORE_PAIRS))
    assert [one.experiment.number for one in pairs_of(seen, "star", VISUAL)] == [3]
