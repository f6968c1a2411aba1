"""Questions to the record.

What stands here may be shown to a planner: by default no answer holds anything of the test split, be it an experiment,
a score, or the status that follows from one. `test=True` opens the seal; only scoring, pages and people ask so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from sqlalchemy import Select, and_, case, select
from sqlalchemy.orm import Session, aliased

from store.access import Access
from store.errors import UserError
from store.records import Description, Experiment, Finding, Hypothesis, Score, Verdict
from store.schema import (
    Base,
    ComponentRow,
    DescriptionRow,
    ExperimentRow,
    FindingRow,
    HypothesisRow,
    PairRow,
    PaymentRow,
    RunRow,
    ScoreRow,
    StepRow,
    StimulusRow,
    TargetRow,
    VerdictRow,
)
from store.search import statements
from store.views import (
    Component,
    Found,
    Hit,
    Payment,
    Proposed,
    RecordedPair,
    RecordedStimulus,
    Run,
    Scored,
    Step,
    as_component,
    as_experiment,
    as_pair,
)

T = TypeVar("T")


class Queries:
    """Reads the record. Each answer is one consistent state of it."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def runs(self) -> list[Run]:
        """Every run, newest first."""
        return self._access.read(
            lambda session: _runs(session, _RUNS.order_by(RunRow.started.desc(), RunRow.id))
        )

    def run(self, run: str) -> Run:
        """Raises UserError for an id that is not in the store."""
        found = self._access.read(lambda session: _runs(session, _RUNS.where(RunRow.id == run)))
        if not found:
            raise UserError(
                f"the store has no run `{run}`", kind="run", hint="`maieutic show runs` lists those it has"
            )
        return found[0]

    def components(self, run: str) -> list[Component]:
        """Where the run stands with each of its components, after the test where there was one: not for planners."""
        chosen = (
            select(ComponentRow, DescriptionRow.label)
            .outerjoin(DescriptionRow, _DESCRIBED)
            .where(ComponentRow.run == run)
            .order_by(ComponentRow.address)
        )
        return [
            as_component(row, label or "")
            for row, label in self._access.read(lambda session: session.execute(chosen).all())
        ]

    def steps(self, run: str, thread: str) -> list[Step]:
        """The planner's turns, in order."""
        chosen = select(StepRow).filter_by(run=run, thread=thread).order_by(StepRow.step)
        return [Step(**_columns(row)) for row in self._all(chosen)]

    def payments(self, run: str, thread: str | None = None) -> list[Payment]:
        """What a run, or one thread of it, has paid to language models, in order."""
        chosen = select(PaymentRow).filter_by(run=run).order_by(PaymentRow.number)
        if thread is not None:
            chosen = chosen.where(PaymentRow.thread == thread)
        return [Payment(**row.body) for row in self._all(chosen)]

    def experiments(
        self, run: str | None = None, thread: str | None = None, *, test: bool = False
    ) -> list[Experiment]:
        """In the order of their numbers; of one run, or one thread of it."""
        chosen = select(ExperimentRow).order_by(ExperimentRow.number)
        if run is not None:
            chosen = chosen.where(ExperimentRow.run == run)
        if thread is not None:
            chosen = chosen.where(ExperimentRow.thread == thread)
        if not test:
            chosen = chosen.where(_OPEN)
        return [as_experiment(row) for row in self._all(chosen)]

    def experiment(self, number: int, *, test: bool = False) -> Experiment:
        """Raises UserError for a number that is not in the store, or is under the seal of the test."""
        row = self._access.read(lambda session: session.get(ExperimentRow, number))
        if row is None or (row.split == "test" and not test):
            raise UserError(
                f"the store has no experiment `e{number}`",
                kind="experiment",
                hint="`maieutic search` finds experiments by their words",
            )
        return as_experiment(row)

    def hypotheses(self, run: str, thread: str) -> list[Proposed]:
        """Every hypothesis of the thread with the verdicts on it, oldest first."""

        def work(session: Session) -> list[Proposed]:
            verdicts: dict[int, list[Verdict]] = {}
            for row in session.scalars(
                select(VerdictRow).filter_by(run=run, thread=thread).order_by(VerdictRow.position)
            ):
                verdicts.setdefault(row.hypothesis, []).append(Verdict.model_validate(row.body))
            rows = session.scalars(
                select(HypothesisRow).filter_by(run=run, thread=thread).order_by(HypothesisRow.number)
            )
            return [
                Proposed(row.number, Hypothesis.model_validate(row.body), verdicts.get(row.number, []))
                for row in rows
            ]

        return self._access.read(work)

    def description(self, run: str, component: str, *, test: bool = False) -> Description | None:
        """As it was frozen, with the scores known; with `test` also what the test said: status, scores, claims."""
        found = self.descriptions(run, component, test=test)
        return found[0] if found else None

    def descriptions(
        self, run: str, component: str | None = None, *, test: bool = False
    ) -> list[Description]:
        """Those of a whole run, or of one component, by address."""

        def work(session: Session) -> list[Description]:
            chosen = select(DescriptionRow, ComponentRow).join(ComponentRow, _DESCRIBED)
            chosen = chosen.where(DescriptionRow.run == run).order_by(DescriptionRow.component)
            scored = select(ScoreRow).where(ScoreRow.run == run).order_by(_SPLIT_ORDER)
            if component is not None:
                chosen = chosen.where(DescriptionRow.component == component)
                scored = scored.where(ScoreRow.component == component)
            scores: dict[str, dict[str, Any]] = {}
            for row in session.scalars(scored if test else scored.where(ScoreRow.split != "test")):
                scores.setdefault(row.component, {})[row.name] = row.body
            return [
                _description(frozen, scores.get(frozen.component, {}), state if test else None)
                for frozen, state in session.execute(chosen)
            ]

        return self._access.read(work)

    def described(self, fingerprint: str, component: str | None = None) -> list[tuple[str, Description]]:
        """The newest description of each component of a target (or of one) with the run that gave it, as frozen."""

        def work(session: Session) -> list[tuple[str, Description]]:
            chosen = (
                select(DescriptionRow)
                .join(RunRow, DescriptionRow.run == RunRow.id)
                .where(RunRow.fingerprint == fingerprint)
                .order_by(DescriptionRow.component, DescriptionRow.frozen.desc())
            )
            if component is not None:
                chosen = chosen.where(DescriptionRow.component == component)
            newest: dict[str, DescriptionRow] = {}
            for row in session.scalars(chosen):
                newest.setdefault(row.component, row)
            return [(row.run, Description.model_validate(row.body)) for row in newest.values()]

        return self._access.read(work)

    def alike(
        self, tool: str, fingerprint: str, seed: int, code: str
    ) -> list[tuple[Experiment, dict[str, Any]]]:
        """What one tool has measured on a target by the same code and seed, newest first, with the words of the runs
        that asked for it. Never of the test."""
        chosen = (
            select(ExperimentRow, RunRow.arguments)
            .join(RunRow, ExperimentRow.run == RunRow.id)
            .where(_OPEN, ExperimentRow.tool == tool, ExperimentRow.fingerprint == fingerprint)
            .where(ExperimentRow.seed == seed, ExperimentRow.code == code, ExperimentRow.error == "")
            .order_by(ExperimentRow.number.desc())
        )
        rows = self._access.read(lambda session: session.execute(chosen).all())
        return [(as_experiment(row), asked) for row, asked in rows]

    def findings(self, run: str) -> list[Found]:
        """The answers that a run gave, in order; none of an audit, whose findings are read in audits.py."""
        chosen = (
            select(FindingRow)
            .join(RunRow, FindingRow.run == RunRow.id)
            .where(FindingRow.run == run, RunRow.kind != "audit")
            .order_by(FindingRow.number)
        )
        return [Found(run, row.number, Finding.model_validate(row.body)) for row in self._all(chosen)]

    def finding(self, run: str, number: int = 1) -> Found:
        """Raises UserError for a number that the run does not have."""
        found = {one.number: one for one in self.findings(self.run(run).id)}
        if number not in found:
            raise UserError(
                f"run `{run}` has no finding {number}",
                kind="finding",
                hint="`maieutic ask` makes one; `maieutic show runs` lists the runs of kind `ask`",
            )
        return found[number]

    def scores(self, run: str, component: str, *, test: bool = False) -> list[Scored]:
        """By name, and within a name train, select, test."""
        chosen = select(ScoreRow).filter_by(run=run, component=component)
        if not test:
            chosen = chosen.where(ScoreRow.split != "test")
        return [
            Scored(row.name, Score.model_validate(row.body))
            for row in self._all(chosen.order_by(ScoreRow.name, _SPLIT_ORDER))
        ]

    def pairs(self, run: str, thread: str, *, test: bool = False) -> list[RecordedPair]:
        """Without those that show a stimulus of the test split."""
        without, with_ = aliased(StimulusRow), aliased(StimulusRow)
        chosen = (
            select(PairRow)
            .filter_by(run=run, thread=thread)
            .join(without, PairRow.without_key == without.key)
            .join(with_, PairRow.with_key == with_.key)
            .order_by(PairRow.number)
        )
        if not test:
            chosen = chosen.where(without.split != "test", with_.split != "test")
        return [as_pair(row) for row in self._all(chosen)]

    def stimulus(self, key: str, *, test: bool = False) -> RecordedStimulus | None:
        row = self._access.read(lambda session: session.get(StimulusRow, key))
        if row is None or (row.split == "test" and not test):
            return None
        return RecordedStimulus.model_validate(_columns(row))

    def search(self, text: str, limit: int = 20, *, fingerprint: str | None = None) -> list[Hit]:
        """Where all the words stand: descriptions first, then hypotheses, then experiments, each newest first.

        With `fingerprint` of that target's runs alone. Never looks into the test.
        """
        words = text.split()

        def work(session: Session) -> list[Hit]:
            hits: list[Hit] = []
            for statement in statements(words, fingerprint):
                rows = session.execute(statement.limit(limit - len(hits))) if len(hits) < limit else ()
                hits += [
                    Hit(kind=row[0], run=row[1], thread=row[2], number=row[3], text=row[4]) for row in rows
                ]
            return hits

        return self._access.read(work) if words else []

    def export_rows(self) -> Iterator[dict[str, Any]]:
        """Every row of the record as JSON, `{"table": …, column: value, …}`, test included: not for planners."""
        mappers = sorted(Base.registry.mappers, key=lambda mapper: mapper.class_.__tablename__)
        chosen = (select(mapper.class_).order_by(*mapper.primary_key) for mapper in mappers)
        for row in self._access.stream(*chosen):
            yield {"table": row.__tablename__, **_columns(row)}

    def _all(self, chosen: Select[T]) -> list[T]:
        return self._access.read(lambda session: list(session.scalars(chosen)))


_DESCRIBED = and_(DescriptionRow.run == ComponentRow.run, DescriptionRow.component == ComponentRow.address)
_SPLIT_ORDER = case({"train": 0, "select": 1, "test": 2}, value=ScoreRow.split)
_OPEN = ExperimentRow.split != "test"
_RUNS = select(RunRow, TargetRow.name).join(TargetRow, RunRow.fingerprint == TargetRow.fingerprint)


def _runs(session: Session, chosen: Select[RunRow, str]) -> list[Run]:
    return [Run(**_columns(row), target=name) for row, name in session.execute(chosen)]


def _description(frozen: DescriptionRow, scores: dict[str, Any], state: ComponentRow | None) -> Description:
    body = frozen.body | {"scores": frozen.body["scores"] | scores}
    if state is not None:
        body |= {
            "status": state.status,
            "reason": state.reason,
            "claims": frozen.body["claims"] | state.claims,
        }
    return Description.model_validate(body)


def _columns(row: Base) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}
