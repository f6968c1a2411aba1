"""What a planner decided at each turn and what became of it, read leniently from the rows of steps.

Rows are another room's words: a field that is missing or of another form is left out, never an error. A refusal is
told to the planner at its next turn; here it stands beside the call, verdict or conclusion that it refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from store.costs import one_of
from store.records import Experiment
from store.views import Step

OUTCOME = "outcome"
PROGRAM = "program"
"""The kind of a decision that is a program, and of the note that says how it ended."""
ENDED = {"loop": "ended", "crash": "crashed"}
"""Kinds of turns that no planner took, by who ended the thread."""


@dataclass(frozen=True)
class CallMade:
    """A tool that was asked for, the experiment that it became, or why it was refused."""

    tool: str
    arguments: Mapping[str, Any]
    experiment: int | None
    refusal: str = ""

    def beside(self, address: str) -> dict[str, Any]:
        """Its arguments without the component whose thread it is."""
        return {name: told for name, told in self.arguments.items() if told != address}


@dataclass(frozen=True)
class Judged:
    """A verdict given at a turn."""

    hypothesis: int
    outcome: str
    experiments: tuple[int, ...]


@dataclass(frozen=True)
class TurnTaken:
    """One turn. `said` is what it says in words (a label, a reason), `refusals` those of no single call.

    Of a program: its text, how it ended, and what it printed; its `calls` are those that became experiments.
    """

    number: int
    kind: str
    thought: str
    said: str
    program: str
    ran: str
    printed: str
    proposed: tuple[str, ...]
    judged: tuple[Judged, ...]
    calls: tuple[CallMade, ...]
    refusals: tuple[str, ...]
    pressed: str
    usage: Mapping[str, Any]

    @property
    def cost(self) -> str:
        """What the turn cost at an endpoint, in words; empty where nothing was asked of one."""
        return one_of(dict(self.usage)).words()


def transcript(steps: Sequence[Step], experiments: Sequence[Experiment]) -> list[TurnTaken]:
    """The turns in order; the row that only repeats a planner's own outcome is left out."""
    made = {(one.step, one.call): one.number for one in experiments}
    notes = [note for step in steps for note in _maps(_map(step.decision.get("asked")).get("notes"))]
    ours = {step.step: [one for one in experiments if one.step == step.step] for step in steps}
    return [_turn(step, made, notes, ours[step.step]) for step in steps if not _repeats(step.decision)]


def _turn(
    step: Step,
    made: Mapping[tuple[int, int], int],
    notes: Sequence[Mapping[str, Any]],
    experiments: Sequence[Experiment],
) -> TurnTaken:
    row = step.decision
    pressed = str(_map(row.get("asked")).get("finish") or "")
    decision = _map(row.get("decision")) if row.get("kind") == OUTCOME else row
    ours = [note for note in notes if note.get("step") == step.step]
    program = next((note for note in ours if note.get("kind") == PROGRAM), {})
    by_call = {note.get("call"): str(note.get("text", "")) for note in ours}
    return TurnTaken(
        number=step.step,
        kind=ENDED[str(row["by"])] if row.get("kind") == OUTCOME else str(decision.get("kind", "")),
        thought=str(decision.get("thought") or ""),
        said=str(decision.get("label") or decision.get("reason") or ""),
        program=str(decision.get("source") or ""),
        ran=str(program.get("text", "")),
        printed=str(program.get("printed", "")),
        proposed=tuple(str(one.get("statement", "")) for one in _maps(decision.get("propose"))),
        judged=tuple(_judged(one) for one in _maps(decision.get("verdicts"))),
        calls=tuple(
            CallMade(
                str(call.get("tool", "")),
                _map(call.get("arguments")),
                made.get((step.step, place)),
                by_call.get(place, ""),
            )
            for place, call in enumerate(_maps(decision.get("calls")))
        )
        if decision.get("kind") != PROGRAM
        else tuple(CallMade(one.tool, one.arguments, one.number) for one in experiments),
        refusals=tuple(
            str(note.get("text", ""))
            for note in ours
            if note.get("call") is None or (decision.get("kind") == PROGRAM != note.get("kind"))
        ),
        pressed=pressed,
        usage={name: told for name, told in step.usage.items() if told or name == "money"},
    )


def _repeats(row: Mapping[str, Any]) -> bool:
    return row.get("kind") == OUTCOME and row.get("by") not in ENDED


def _judged(told: Mapping[str, Any]) -> Judged:
    experiments = told.get("experiments")
    numbers = [one for one in experiments if isinstance(one, int)] if isinstance(experiments, list) else []
    hypothesis = told.get("hypothesis")
    return Judged(
        hypothesis if isinstance(hypothesis, int) else 0, str(told.get("outcome", "")), tuple(numbers)
    )


def _map(told: Any) -> Mapping[str, Any]:
    return told if isinstance(told, Mapping) else {}


def _maps(told: Any) -> list[Mapping[str, Any]]:
    return [one for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []
