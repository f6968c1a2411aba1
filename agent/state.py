"""What the loop carries from node to node, and what its nodes work with.

Knows that a checkpoint holds numbers and short words only: decisions, results and pictures are in the store, under the
step's number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypedDict

from agent.bench import Bench
from agent.planner import Planner
from agent.programs.sandbox import Sandbox
from agent.record import Asked, asked_of
from agent.thread import Goal, Note
from store.address import Address
from store.views import Step
from tools.budget import REVISIONS
from tools.context import ToolContext
from tools.tool import Tool


@dataclass(frozen=True)
class Limits:
    """How long a thread may go on: decisions in all, turns in a row in which nothing worked, refused conclusions."""

    steps: int = 24
    repairs: int = 3
    revisions: int = REVISIONS


@dataclass(frozen=True)
class Desk:
    """One thread's parts. Never stored. Without a `sandbox` programs are refused."""

    context: ToolContext
    planner: Planner
    bench: Bench
    run: str
    subject: Address | Goal
    tools: Sequence[Tool]
    limits: Limits
    sandbox: Sandbox | None = None

    @property
    def thread(self) -> str:
        return str(self.subject)


class State(TypedDict):
    """`step` is the last one decided (−1: none); `notes`, `repairs`, `revisions` and `finish` go to the next one.

    `worked` counts what the last step achieved, `ended` is how the loop itself ends the thread: a reason, or empty.
    """

    step: int
    kind: str
    notes: list[dict[str, Any]]
    repairs: int
    revisions: int
    finish: str
    worked: int
    accepted: bool
    ended: str


def beginning(rows: Sequence[Step]) -> State:
    """The state from which to go on: before the last decision that is recorded, or before the first one."""
    last = rows[-1] if rows else None
    asked = asked_of(last.decision) if last else Asked()
    return {
        "step": last.step - 1 if last else -1,
        "kind": "",
        "notes": as_values(asked.notes),
        "repairs": asked.repairs,
        "revisions": asked.revisions,
        "finish": asked.finish,
        "worked": 0,
        "accepted": False,
        "ended": "",
    }


def pending(state: State) -> Asked:
    """What the next decision is told."""
    notes = tuple(Note(**note) for note in state["notes"])
    return Asked(notes, state["finish"], state["repairs"], state["revisions"])


def as_values(notes: Sequence[Note]) -> list[dict[str, Any]]:
    return [asdict(note) for note in notes]
