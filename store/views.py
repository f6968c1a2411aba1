"""What questions to the record give back, ready for JSON, and how it is made from rows."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from store.records import Experiment, Finding, Hypothesis, Model, Score, Split, Status, Verdict
from store.schema import ComponentRow, ExperimentRow, PairRow

RunKind = Literal["label", "ask", "audit", "direct", "score"]
RunEnd = Literal["done", "partial", "budget", "failed", "interrupted"]
RunStatus = Literal["running", RunEnd]


class Run(Model):
    """One command's work on one target. Times are ISO 8601 in UTC; `ended` is empty while it runs or was killed."""

    id: str
    kind: RunKind
    target: str
    fingerprint: str
    arguments: dict[str, Any]
    seed: int
    planner: str
    status: RunStatus
    started: str
    ended: str


class Component(Model):
    """Where a run stands with one component: `status` is None until its description is frozen."""

    run: str
    address: str
    status: Status | None
    label: str = ""
    reason: str = ""


class Step(Model):
    """A planner's turn. `prompt` is the hash of what the planner was sent."""

    run: str
    thread: str
    step: int
    decision: dict[str, Any]
    prompt: str
    usage: dict[str, Any]
    decided: str


class Payment(Model):
    """What requests to a language model cost; `money` is None where nobody knows the price, `estimated` tokens are
    those that no endpoint told."""

    tokens: int
    money: float | None
    requests: int = 1
    currency: str = ""
    estimated: bool = False


class RecordedPair(Model):
    """Two stimuli, by key, that differ in `concept`, and what was checked about that."""

    number: int
    concept: str
    without_key: str
    with_key: str
    verified: dict[str, Any]


class RecordedStimulus(Model):
    key: str
    sha256: str
    split: Split
    kind: str
    artifact: str


class Proposed(NamedTuple):
    """A hypothesis, its number in the thread (from 1), and every verdict on it, oldest first."""

    number: int
    hypothesis: Hypothesis
    verdicts: list[Verdict]


class Scored(NamedTuple):
    name: str
    score: Score


class Found(NamedTuple):
    """A finding with its run and its number there."""

    run: str
    number: int
    finding: Finding

    @property
    def name(self) -> str:
        """What commands and pages call it."""
        return f"{self.run}/{self.number}"


class Hit(Model):
    """A place in the record where the searched words stand; `number` is that of an experiment, a hypothesis or
    a finding."""

    kind: Literal["description", "finding", "hypothesis", "experiment"]
    run: str
    thread: str
    number: int | None
    text: str


def as_component(row: ComponentRow, label: str) -> Component:
    status: Any = row.status or None
    return Component(run=row.run, address=row.address, status=status, label=label, reason=row.reason)


def as_pair(row: PairRow) -> RecordedPair:
    return RecordedPair(
        number=row.number,
        concept=row.concept,
        without_key=row.without_key,
        with_key=row.with_key,
        verified=row.verified,
    )


def as_experiment(row: ExperimentRow) -> Experiment:
    return Experiment(
        number=row.number,
        run=row.run,
        thread=row.thread,
        step=row.step,
        call=row.call,
        tool=row.tool,
        arguments=row.arguments,
        seed=row.seed,
        fingerprint=row.fingerprint,
        code=row.code,
        result=row.result,
        error=row.error,
        started=row.started,
    )
