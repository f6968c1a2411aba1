"""The record's pen: everything that a run does is written here, once, and stays.

Each method commits before it returns; what has returned survives a kill. Rows only grow: what comes a second time under
the same key is either the same, and then the first stands, or a bug, and then it is refused. Knows what may be written
when (receipts exist, a text is frozen before its test); knows nothing about how it is read back.
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
from store.records import Claim, Description, Experiment, Hypothesis, Score, Split, Status, Verdict
from store.schema import (
    Base,
    ComponentRow,
    DatasetRow,
    DescriptionRow,
    ExperimentRow,
    HypothesisRow,
    PairRow,
    RunRow,
    ScoreRow,
    StepRow,
    StimulusRow,
    TargetRow,
    VerdictRow,
)
from store.views import RunEnd, RunKind, as_experiment

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


class Recorder:
    """Writes the record. Safe to use from several threads, and beside other processes on the same store."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def target(self, name: str, fingerprint: str, family: str, about: dict[str, Any]) -> None:
        """Makes a model known. A fingerprint keeps the name that it first came with."""
        self._first(TargetRow(fingerprint=fingerprint, name=name, family=family, about=_plain(about)))

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
            arguments=_plain(arguments),
            seed=seed,
            planner=planner,
            status="running",
            started=_now(),
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
            row.ended = _now()

        self._access.write(work)

    def components(self, run: str, addresses: Iterable[str]) -> None:
        """What the run is going to look at, so that a reader sees those too that it has not begun."""
        chosen = list(addresses)

        def work(session: Session) -> None:
            for address in chosen:
                _component(session, run, address)

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

        `prompt` is the hash of what the planner was sent; `usage` is what the turn cost (tokens, money).
        """
        row = StepRow(
            run=run,
            thread=thread,
            step=step,
            decision=_plain(decision),
            prompt=prompt,
            usage=_plain(usage or {}),
            decided=_now(),
        )
        return self._first(row, of=(run, thread)).decision

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
            arguments=_plain(arguments),
            seed=seed,
            fingerprint=fingerprint,
            code=code,
            split=split,
            summary=str(result.get("summary", "")),
            result=_plain(result),
            error=error,
            started=_now(),
            seconds=seconds,
        )

        def work(session: Session) -> ExperimentRow:
            if stored := _at(session, turn):
                rules.same_call(stored, row)
                return stored
            rules.same_target(session, turn.run, fingerprint)
            _component(session, turn.run, turn.thread)
            session.add(row)
            return row

        return as_experiment(self._access.write(work))

    def hypothesis(self, run: str, thread: str, number: int, hypothesis: Hypothesis) -> None:
        """A hypothesis under its number in the thread, from 1. The first one under a number stands."""
        body = hypothesis.model_dump(mode="json")
        row = HypothesisRow(run=run, thread=thread, number=number, statement=hypothesis.statement, body=body)
        self._first(row, of=(run, thread))

    def verdict(self, run: str, thread: str, number: int, verdict: Verdict) -> None:
        """What experiments say of hypothesis `number`. It may get several verdicts; the same one twice is one.

        Raises RuntimeError when the hypothesis or an experiment is not recorded.
        """
        body = verdict.model_dump(mode="json")

        def work(session: Session) -> None:
            rules.known_hypothesis(session, run, thread, number, verdict)
            before = rules.verdicts_on(session, run, thread, number)
            if any(row.body == body for row in before):
                return
            position = len(before) + 1
            rules.cite(session, run, thread, {f"verdict {number}.{position}": verdict.experiments})
            session.add(
                VerdictRow(
                    run=run,
                    thread=thread,
                    hypothesis=number,
                    position=position,
                    outcome=verdict.outcome,
                    body=body,
                )
            )

        self._access.write(work)

    def description(self, run: str, description: Description) -> None:
        """Freezes a component's description: from here on its words stand, whatever the test says.

        Raises RuntimeError for a second one that says something else, for a citation of what is not recorded, and for
        a status or score that only the blind test can give (see `settle`).
        """
        rules.not_yet_tested(description)
        row = DescriptionRow(
            run=run,
            component=description.component,
            label=description.label,
            text=description.text,
            body=description.model_dump(mode="json"),
            frozen=_now(),
        )

        def work(session: Session) -> None:
            if stored := session.get(DescriptionRow, (run, description.component)):
                rules.same_words(stored, description)
                return
            component = _component(session, run, description.component)
            component.status = description.status
            component.reason = description.reason
            rules.cite(session, run, description.component, rules.citations(description))
            session.add(row)

        self._access.write(work)

    def score(self, run: str, component: str, name: str, score: Score) -> None:
        """A score of a component; the same one twice is one. On `test` its description must be frozen first.

        Raises RuntimeError when it is not, and for another score of the same name on the same split.
        """
        body = score.model_dump(mode="json")
        row = ScoreRow(
            run=run,
            component=component,
            name=name,
            split=score.split,
            value=score.value,
            body=body,
            scored=_now(),
        )

        def work(session: Session) -> None:
            if stored := session.get(ScoreRow, (run, component, name, score.split)):
                rules.same_score(stored, body)
                return
            if score.split == "test":
                rules.frozen(session, run, component)
            _component(session, run, component)
            session.add(row)

        self._access.write(work)

    def settle(
        self,
        run: str,
        component: str,
        status: Status,
        *,
        reason: str = "",
        claims: dict[str, Claim] | None = None,
    ) -> None:
        """What the blind test made of a frozen description: its last status, and the claims that only it decides.

        Raises RuntimeError when no description is frozen, and for `verified` without a score on `test`.
        """
        decided = {name: claim.model_dump(mode="json") for name, claim in (claims or {}).items()}

        def work(session: Session) -> None:
            rules.frozen(session, run, component)
            if status == "verified":
                rules.tested(session, run, component)
            row = _component(session, run, component)
            row.status = status
            row.reason = reason or row.reason
            row.claims = row.claims | decided

        self._access.write(work)

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
            verified=_plain(verified),
        )
        self._first(row, of=(run, thread))

    def _first(self, row: R, of: tuple[str, str] | None = None) -> R:
        """Writes the row unless its key is taken, and returns what stands there; `of` is its run and thread."""

        def work(session: Session) -> R:
            key = inspect(type(row)).primary_key_from_instance(row)
            if stored := session.get(type(row), key):
                return stored
            if of is not None:
                _component(session, *of)
            session.add(row)
            return row

        return self._access.write(work)


def _component(session: Session, run: str, thread: str) -> ComponentRow:
    """The row of a component's thread, begun where it is missing; of another thread one that is not kept."""
    row = session.get(ComponentRow, (run, thread))
    if row is None:
        rules.known_run(session, run)
        row = ComponentRow(run=run, address=thread, status="", reason="", claims={})
        if thread not in OTHER_THREADS:
            session.add(row)
            session.flush()
    return row


def _at(session: Session, turn: Turn) -> ExperimentRow | None:
    place = select(ExperimentRow).filter_by(run=turn.run, thread=turn.thread, step=turn.step, call=turn.call)
    return session.scalars(place).one_or_none()


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """The value as JSON gives it back: tuples as lists, keys as strings. Refuses NaN and what JSON can't hold."""
    plain: dict[str, Any] = json.loads(json.dumps(value, allow_nan=False))
    return plain


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _new_id() -> str:
    """Eight letters and digits that can't be mistaken for one another."""
    return "".join(secrets.choice(_LETTERS) for _ in range(8))
