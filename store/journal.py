"""What was done: targets, data, runs, planners' turns, experiments; each written once.

Knows keys and what stands under a key already; what is claimed on the strength of it is written in recorder.py.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from store import rules
from store.access import Access
from store.records import Experiment, Split
from store.schema import (
    Base,
    ComponentRow,
    DatasetRow,
    ExperimentRow,
    PairRow,
    PaymentRow,
    RunRow,
    StepRow,
    StimulusRow,
    TargetRow,
)
from store.views import Payment, RunEnd, RunKind, as_experiment

OTHER_THREADS = ("question", "direct")
"""Threads that are no component's."""
R = TypeVar("R", bound=Base)
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Turn:
    """The place of one tool call: `thread` is an address, `question` or `direct`; step and call count from 0."""

    run: str
    thread: str
    step: int
    call: int


class Journal:
    """Writes what a run does, as it does it."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def target(self, name: str, fingerprint: str, family: str, about: dict[str, Any]) -> None:
        """Makes a model known. A fingerprint keeps the name that it first came with."""
        self._first(TargetRow(fingerprint=fingerprint, name=name, family=family, about=plain(about)))

    def dataset(self, name: str, split: Split, fingerprint: str, size: int) -> None:
        """Makes a collection of stimuli known; `size` counts them."""
        self._first(DatasetRow(fingerprint=fingerprint, split=split, name=name, size=size))

    def stimulus(self, key: str, sha256: str, split: Split, kind: str = "", artifact: str = "") -> None:
        """Makes a stimulus known. Raises RuntimeError when its key already names other content or another split."""
        row = StimulusRow(key=key, sha256=sha256, split=split, kind=kind, artifact=artifact)
        stored = self._first(row)
        if (stored.sha256, stored.split) != (sha256, split):
            raise RuntimeError(f"the stimulus `{key}` is already recorded with other content or split")

    def open_run(
        self, kind: RunKind, target_fingerprint: str, arguments: dict[str, Any], seed: int, planner: str
    ) -> str:
        """Begins a run on a target that `target` has made known; its short id names it from then on."""
        row = RunRow(
            kind=kind,
            fingerprint=target_fingerprint,
            arguments=plain(arguments),
            seed=seed,
            planner=planner,
            status="running",
            started=now(),
            ended="",
        )

        def work(session: Session) -> str:
            rules.known_target(session, target_fingerprint)
            row.id = _new_id()
            while session.get(RunRow, row.id) is not None:
                row.id = _new_id()
            session.add(row)
            return row.id

        return self._access.write(work)

    def end_run(self, run: str, status: RunEnd) -> None:
        """How the run ended. A resumed run ends again, and the last word counts."""

        def work(session: Session) -> None:
            row = rules.known_run(session, run)
            row.status = status
            row.ended = now()

        self._access.write(work)

    def resume_run(self, run: str) -> None:
        """The run goes on: it counts as running until it ends again."""

        def work(session: Session) -> None:
            row = rules.known_run(session, run)
            row.status = "running"
            row.ended = ""

        self._access.write(work)

    def components(self, run: str, addresses: Iterable[str]) -> None:
        """What the run is going to look at, so that a reader sees those too that it has not begun."""
        chosen = dict.fromkeys(addresses)

        def work(session: Session) -> None:
            rules.known_run(session, run)
            begun = set(session.scalars(select(ComponentRow.address).where(ComponentRow.run == run)))
            session.add_all(_fresh(run, address) for address in chosen if address not in begun)

        self._access.write(work)

    def step(
        self,
        run: str,
        thread: str,
        step: int,
        decision: dict[str, Any],
        prompt: str = "",
        usage: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The decision of this turn: the one that was recorded first, which may not be the one given.

        `prompt` is the hash of what the planner was sent; `usage` is what the turn cost (tokens, money): what a run
        has paid is told by `payment` alone.
        """
        row = StepRow(
            run=run,
            thread=thread,
            step=step,
            decision=plain(decision),
            prompt=prompt,
            usage=plain(usage or {}),
            decided=now(),
        )
        return self._first(row, of=(run, thread)).decision

    def payment(self, run: str, thread: str, payment: Payment) -> None:
        """Writes down what was paid for requests, whether or not anything comes of them."""
        row = PaymentRow(run=run, thread=thread, body=payment.model_dump(), paid=now())

        def work(session: Session) -> None:
            rules.known_run(session, run)
            session.add(row)

        self._access.write(work)

    def find(self, turn: Turn) -> Experiment | None:
        """What is already measured at this place."""
        row = self._access.read(lambda session: _at(session, turn))
        return as_experiment(row) if row else None

    def experiment(
        self,
        turn: Turn,
        *,
        tool: str,
        arguments: dict[str, Any],
        seed: int,
        fingerprint: str,
        code: str,
        result: dict[str, Any],
        error: str = "",
        split: Split = "train",
        seconds: float = 0.0,
    ) -> Experiment:
        """Records a call (`code` is the version of what measured, `seconds` what it took) and gives it its number.

        What is already recorded at this place is returned in its stead. Raises RuntimeError when that was another tool
        or had other arguments, and when the fingerprint is not that of the run's target.
        """
        row = ExperimentRow(
            run=turn.run,
            thread=turn.thread,
            step=turn.step,
            call=turn.call,
            tool=tool,
            arguments=plain(arguments),
            seed=seed,
            fingerprint=fingerprint,
            code=code,
            split=split,
            summary=str(result.get("summary", "")),
            result=plain(result),
            error=error,
            started=now(),
            seconds=seconds,
        )

        def work(session: Session) -> ExperimentRow:
            if stored := _at(session, turn):
                rules.same_call(stored, row)
                return stored
            rules.same_target(session, turn.run, fingerprint)
            component_of(session, turn.run, turn.thread)
            session.add(row)
            return row

        return as_experiment(self._access.write(work))

    def pair(
        self,
        run: str,
        thread: str,
        number: int,
        concept: str,
        without_key: str,
        with_key: str,
        verified: dict[str, Any],
    ) -> None:
        """Two recorded stimuli that differ in one concept, and what was checked. The first under a number stands."""
        row = PairRow(
            run=run,
            thread=thread,
            number=number,
            concept=concept,
            without_key=without_key,
            with_key=with_key,
            verified=plain(verified),
        )
        self._first(row, of=(run, thread))

    def _first(self, row: R, of: tuple[str, str] | None = None) -> R:
        """Writes the row unless its key is taken, and returns what stands there; `of` is its run and thread."""

        def work(session: Session) -> R:
            key = inspect(type(row)).primary_key_from_instance(row)
            if stored := session.get(type(row), key):
                return stored
            if of is not None:
                component_of(session, *of)
            session.add(row)
            return row

        return self._access.write(work)


def component_of(session: Session, run: str, thread: str) -> ComponentRow:
    """The row of a component's thread, begun where it is missing; of another thread one that is not kept."""
    row = session.get(ComponentRow, (run, thread))
    if row is None:
        rules.known_run(session, run)
        row = _fresh(run, thread)
        if thread not in OTHER_THREADS:
            session.add(row)
            session.flush()
    return row


def _fresh(run: str, address: str) -> ComponentRow:
    return ComponentRow(run=run, address=address, status="", reason="", claims={})


def _at(session: Session, turn: Turn) -> ExperimentRow | None:
    place = select(ExperimentRow).filter_by(run=turn.run, thread=turn.thread, step=turn.step, call=turn.call)
    return session.scalars(place).one_or_none()


def plain(value: dict[str, Any]) -> dict[str, Any]:
    """The value as JSON gives it back: tuples as lists, keys as strings. Refuses NaN and what JSON can't hold."""
    again: dict[str, Any] = json.loads(json.dumps(value, allow_nan=False))
    return again


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _new_id() -> str:
    """Eight letters and digits that can't be mistaken for one another."""
    return "".join(secrets.choice(_LETTERS) for _ in range(8))
