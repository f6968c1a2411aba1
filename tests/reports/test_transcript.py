"""Turns are read from rows that other rooms wrote, whatever they hold."""

from __future__ import annotations

from typing import Any

import pytest

from reports.transcript import transcript
from reports.words import did
from store.views import Step
from tests.reports.test_shapes import experiment


def step(number: int, decision: dict[str, Any]) -> Step:
    return Step(
        run="r", thread="t", step=number, decision=decision, prompt="", usage={"tokens": 0}, decided=""
    )


CALLS = {"kind": "calls", "calls": [{"tool": "ablate", "arguments": {"component": "t"}}, {"tool": "sing"}]}
REFUSED = {"step": 0, "kind": "repair", "text": "`sing` is not a tool", "call": 1}


def test_a_call_stands_beside_its_experiment_or_its_refusal() -> None:
    steps = [
        step(0, CALLS),
        step(1, {"kind": "abstention", "reason": "nothing", "asked": {"notes": [REFUSED]}}),
    ]
    first, second = transcript(steps, [experiment(0, {})])
    assert [(call.tool, call.experiment, call.refusal) for call in first.calls] == [
        ("ablate", 0, ""),
        ("sing", None, "`sing` is not a tool"),
    ]
    assert (second.kind, second.said, second.usage) == ("abstention", "nothing", {})


def test_a_refused_conclusion_says_why() -> None:
    note = {"step": 0, "kind": "revision", "text": "a sentence has no receipt", "call": None}
    steps = [
        step(0, {"kind": "conclusion", "label": "red"}),
        step(1, {"kind": "calls", "asked": {"notes": [note]}}),
    ]
    assert transcript(steps, [])[0].refusals == ("a sentence has no receipt",)


def test_the_planners_own_outcome_is_told_once_and_the_loops_is_told() -> None:
    said = {"kind": "abstention", "reason": "nothing"}
    ended = {"kind": "abstention", "reason": "the budget is spent"}
    own = [step(0, said), step(1, {"kind": "outcome", "by": "planner", "decision": said})]
    loop = [step(0, CALLS), step(1, {"kind": "outcome", "by": "loop", "decision": ended})]
    assert [turn.kind for turn in transcript(own, [])] == ["abstention"]
    assert [turn.said for turn in transcript(loop, [])] == ["", "the budget is spent"]


def test_a_turn_is_headed_by_what_was_done() -> None:
    busy = CALLS | {
        "propose": [{"statement": "it sings"}],
        "verdicts": [{"hypothesis": 1, "experiments": [4]}],
    }
    told = [
        did(turn)
        for turn in transcript([step(0, busy), step(1, {"kind": "calls"}), step(2, {"kind": "program"})], [])
    ]
    assert told == [
        "judged 1 hypothesis, proposed 1 hypothesis, asked for 2 experiments",
        "said nothing to act on",
        "wrote a program",
    ]


def test_a_program_stands_beside_its_experiments_how_it_ended_and_what_it_printed() -> None:
    ran = {"step": 0, "kind": "program", "text": "it ran to its end", "call": 0, "printed": "red\n"}
    bad = {"step": 1, "kind": "repair", "text": "the program was not run: line 1", "call": 0}
    steps = [
        step(0, {"kind": "program", "source": "weigh()"}),
        step(1, {"kind": "program", "source": "weih()", "asked": {"notes": [ran]}}),
        step(2, {"kind": "abstention", "reason": "nothing", "asked": {"notes": [bad]}}),
    ]
    first, second, _ = transcript(steps, [experiment(0, {})])
    assert (first.program, first.ran, first.printed) == ("weigh()", "it ran to its end", "red\n")
    assert [call.experiment for call in first.calls] == [0] and first.refusals == ()
    assert (second.ran, second.refusals) == ("", ("the program was not run: line 1",))


@pytest.mark.parametrize("odd", [None, 3, "words", [1], {"a": 1}])
def test_odd_rows_break_nothing(odd: Any) -> None:
    fields = ("calls", "propose", "verdicts", "asked", "thought", "decision", "usage")
    (turn,) = transcript([step(0, {"kind": "calls"} | dict.fromkeys(fields, odd))], [])
    assert turn.kind == "calls"
