"""From rows to a thread and back: what is recorded of a component, as planners see it and as the loop resumes from it.

A step's row holds the decision and, under `asked`, what the planner was told before it decided: the notes on the step
before, and whether it had to finish. So the rows alone say where a thread stands, and nothing is done again because
nobody remembers it. The last row of a finished thread is its outcome.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any, Literal

from agent.decision import Abstention, Calls, Conclusion, Decision, Program, Reply, as_row, from_row
from agent.receipts import citations
from agent.thread import Decided, Goal, Left, Note, Stated, ThreadView
from store.address import Address
from store.database import Store
from store.views import Step
from tools.budget import Budget
from tools.context import ToolContext

OUTCOME = "outcome"
By = Literal["planner", "loop", "crash"]


@dataclass(frozen=True)
class Asked:
    """What stood before a decision: notes, the reason to finish (or none), and how often things went wrong so far."""

    notes: tuple[Note, ...] = ()
    finish: str = ""
    repairs: int = 0
    revisions: int = 0


@dataclass(frozen=True)
class Outcome:
    """How a thread ended. `by` says whether the planner said so, the loop had to, or an error of ours did (crash.py);
    `finish` why the planner was told to."""

    decision: Conclusion | Reply | Abstention
    by: By
    steps: int
    finish: str = ""

    @property
    def evidence(self) -> tuple[int, ...]:
        """Every experiment that the outcome leans on, each once, in order; what no planner said leans on none."""
        if self.by != "planner":
            return ()
        if isinstance(self.decision, Abstention):
            return tuple(sorted(set(citations(self.decision.reason))))
        found = set(citations(self.decision.text))
        if isinstance(self.decision, Reply):
            found.update(*(row.evidence for row in self.decision.rows))
            return tuple(sorted(found))
        found.update(*(facet.evidence for facet in self.decision.facets))
        found.update(*(claim.evidence for claim in self.decision.claims.values() if claim))
        found.update(*(verdict.experiments for verdict in self.decision.verdicts))
        return tuple(sorted(found))


def step_row(decision: Decision, asked: Asked) -> dict[str, Any]:
    """A decision with what it answered, as the store keeps it."""
    return as_row(decision) | {"asked": asdict(asked)}


def outcome_row(outcome: Outcome) -> dict[str, Any]:
    return {
        "kind": OUTCOME,
        "by": outcome.by,
        "steps": outcome.steps,
        "finish": outcome.finish,
        "decision": as_row(outcome.decision),
    }


def decision_of(row: dict[str, Any]) -> Decision:
    return from_row({name: value for name, value in row.items() if name != "asked"})


def asked_of(row: dict[str, Any]) -> Asked:
    asked = row.get("asked", {})
    return Asked(**(asked | {"notes": tuple(Note(**note) for note in asked.get("notes", ()))}))


def outcome_of(steps: list[Step]) -> Outcome | None:
    """The outcome of a finished thread."""
    if not steps or steps[-1].decision.get("kind") != OUTCOME:
        return None
    row = steps[-1].decision
    decision = from_row(row["decision"])
    assert isinstance(decision, Conclusion | Reply | Abstention)
    return Outcome(decision, row["by"], row["steps"], row["finish"])


def decisions(store: Store, run: str, thread: str) -> list[Decided]:
    """What was decided in a thread, oldest first, without its outcome."""
    rows = store.queries.steps(run, thread)
    return [Decided(row.step, decision_of(row.decision)) for row in rows if row.decision["kind"] != OUTCOME]


def read_view(
    context: ToolContext, run: str, subject: Address | Goal, step: int, steps_left: int, asked: Asked
) -> ThreadView:
    """The thread as it stood before step number `step`: later rows are not in it, even where there are some."""
    store, thread = context.store, str(subject)
    rows = [
        row for row in store.queries.steps(run, thread) if row.step < step and row.decision["kind"] != OUTCOME
    ]
    decided = tuple(Decided(row.step, decision_of(row.decision)) for row in rows)
    earlier = [note for row in rows for note in asked_of(row.decision).notes]
    return ThreadView(
        subject=subject,
        target=context.target.name,
        family=context.target.family,
        seed=context.seed,
        step=step,
        left=_left(context.budget, steps_left),
        finish_now=asked.finish,
        decided=decided,
        experiments=tuple(e for e in store.queries.experiments(run, thread) if e.step < step),
        stated=_stated(store, run, thread, decided),
        notes=(*earlier, *asked.notes),
    )


def _stated(store: Store, run: str, thread: str, decided: tuple[Decided, ...]) -> tuple[Stated, ...]:
    acted = [(turn.step, turn.decision) for turn in decided if isinstance(turn.decision, Calls | Program)]
    given = [verdict for _, decision in acted for verdict in decision.verdicts]
    verdicts = {
        proposed.number: [verdict for verdict in proposed.verdicts if verdict in given]
        for proposed in store.queries.hypotheses(run, thread)
    }
    proposed = [(step, hypothesis) for step, decision in acted for hypothesis in decision.propose]
    return tuple(
        Stated(number, step, hypothesis, tuple(verdicts.get(number, ())))
        for number, (step, hypothesis) in enumerate(proposed, start=1)
    )


def _left(budget: Budget, steps: int) -> Left:
    def of(limit: int | None, spent: int) -> int | None:
        return None if limit is None else max(0, limit - spent)

    seconds = (
        None if budget.seconds is None else max(0.0, budget.seconds - (time.monotonic() - budget.started))
    )
    purses = (budget.own.left(), budget.shared.left())
    tokens = [left for left, _ in purses if left is not None]
    money = [left for _, left in purses if left is not None]
    return Left(
        tokens=min(tokens, default=None),
        money=min(money, default=None),
        steps=steps,
        calls=of(budget.calls, budget.spent_calls),
        forwards=of(budget.forwards, budget.spent_forwards),
        seconds=seconds,
        low=budget.low,
    )
