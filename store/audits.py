"""What an audit finds, as it stands in the record, in JSON and on pages.

Typed models, and their way into the table `finding` and back. Knows which findings are complete; knows nothing about
how they are measured (experiments/audit/) or drawn.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from store import rules
from store.access import Access
from store.journal import OTHER_THREADS
from store.records import Answer, Interval, Model, Quantity
from store.schema import FindingRow

Topic = Literal["hallucination", "spurious", "text-dominance", "grounding"]
TOPICS: tuple[Topic, ...] = get_args(Topic)
ClaimKind = Literal["behavior", "by exact pairs", "necessary", "gate"]
"""What was done: questions were asked; one thing was changed with all else equal; components were silenced; answers
were withheld."""
THREAD = OTHER_THREADS[0]


class AuditFinding(Model):
    """One claim with what was measured of it. `verdict` says whether it stands.

    `effect` is in `unit`, `control` the same number where what is suspected can't be at work (`control_is` says what
    that is), `excess` the effect beyond its control; its p is corrected to `q` over the findings of the audit
    (Benjamini and Hochberg 1995). `refuted` names other explanations that the control rules out, `shows_not` what
    must not be read from it. `components` are those that a finding of kind `necessary` is about.
    """

    topic: Topic
    name: str
    claim: Annotated[str, Field(min_length=1)]
    kind: ClaimKind
    verdict: Answer
    effect: float
    ci: Interval
    n: Annotated[int, Field(ge=1)]
    unit: str
    control: float
    control_ci: Interval
    control_is: Annotated[str, Field(min_length=1)]
    excess: float
    excess_ci: Interval
    p: Annotated[float, Field(ge=0, le=1)]
    q: Annotated[float, Field(ge=0, le=1)]
    refuted: tuple[str, ...] = ()
    shows_not: Annotated[str, Field(min_length=1)]
    components: tuple[str, ...] = ()
    numbers: dict[str, Quantity] = Field(default_factory=dict)
    evidence: Annotated[tuple[int, ...], Field(min_length=1)]


class Unmeasured(Model):
    """A topic, or a part of one, that could not be measured here."""

    topic: Topic
    reason: str


class Audit(Model):
    """The JSON of `maieutic audit`. `findings` are in the order in which they were measured."""

    run: str
    target: str
    fingerprint: str
    seed: int
    status: Literal["done", "partial", "budget"]
    summary: str
    findings: tuple[AuditFinding, ...]
    unmeasured: tuple[Unmeasured, ...] = ()
    report: str = ""


def keep(access: Access, run: str, findings: tuple[AuditFinding, ...]) -> None:
    """Writes all findings of an audit at once, numbered from 1; the same ones twice are one.

    Raises RuntimeError where others stand there already, and for evidence that is not recorded.
    """

    def work(session: Session) -> None:
        if stored := _stored(session, run):
            if stored != list(findings):
                raise RuntimeError(f"the findings of run `{run}` are recorded and would say something else")
            return
        rules.known_run(session, run)
        for number, finding in enumerate(findings, 1):
            rules.cite(session, run, THREAD, {f"finding {number}": finding.evidence})
            session.add(
                FindingRow(
                    run=run,
                    number=number,
                    topic=finding.topic,
                    claim=finding.claim,
                    body=finding.model_dump(mode="json"),
                )
            )

    access.write(work)


def kept(access: Access, run: str) -> tuple[AuditFinding, ...]:
    """The findings of an audit, in order; none of a run that has not come so far."""
    return tuple(access.read(lambda session: _stored(session, run)))


def _stored(session: Session, run: str) -> list[AuditFinding]:
    rows = session.scalars(select(FindingRow).filter_by(run=run).order_by(FindingRow.number))
    return [AuditFinding.model_validate(row.body) for row in rows]
