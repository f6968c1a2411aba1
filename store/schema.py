"""The tables of the record, as typed models.

Knows columns, keys and which tables only grow. Keeps to what SQLite and PostgreSQL both can do; knows nothing about how
a database is opened (database.py), brought up to date (migrations/) or asked (queries.py). Times are ISO 8601 in UTC.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

APPEND_ONLY = ("experiment", "verdict", "score", "description", "payment")
"""Tables whose rows the database itself refuses to change or delete."""

SHA = String(64)
RUN = String(16)
NAME = String(200)
WORD = String(32)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {dict[str, Any]: JSON, str: Text}  # noqa: RUF012  # read by SQLAlchemy when classes are made


class TargetRow(Base):
    """A model under study. One fingerprint is one target, whatever names lead to it."""

    __tablename__ = "target"
    fingerprint: Mapped[str] = mapped_column(NAME, primary_key=True)
    name: Mapped[str]
    family: Mapped[str] = mapped_column(WORD)
    about: Mapped[dict[str, Any]]


class DatasetRow(Base):
    __tablename__ = "dataset"
    fingerprint: Mapped[str] = mapped_column(NAME, primary_key=True)
    split: Mapped[str] = mapped_column(WORD, primary_key=True)
    name: Mapped[str] = mapped_column(NAME, primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)


class StimulusRow(Base):
    __tablename__ = "stimulus"
    key: Mapped[str] = mapped_column(String(500), primary_key=True)
    sha256: Mapped[str] = mapped_column(SHA, index=True)
    split: Mapped[str] = mapped_column(WORD)
    kind: Mapped[str]
    artifact: Mapped[str] = mapped_column(SHA)


class RunRow(Base):
    """One command's work. `status` is the only thing about it that changes."""

    __tablename__ = "run"
    id: Mapped[str] = mapped_column(RUN, primary_key=True)
    kind: Mapped[str] = mapped_column(WORD)
    fingerprint: Mapped[str] = mapped_column(ForeignKey("target.fingerprint"))
    arguments: Mapped[dict[str, Any]]
    seed: Mapped[int] = mapped_column(BigInteger)
    planner: Mapped[str]
    status: Mapped[str] = mapped_column(WORD)
    started: Mapped[str] = mapped_column(WORD)
    ended: Mapped[str] = mapped_column(WORD)


class ComponentRow(Base):
    """Where a run stands with one of its components. `status` is empty until its description is frozen.

    `claims` are those that only the blind test can decide.
    """

    __tablename__ = "component"
    run: Mapped[str] = mapped_column(ForeignKey("run.id"), primary_key=True)
    address: Mapped[str] = mapped_column(NAME, primary_key=True)
    status: Mapped[str] = mapped_column(WORD)
    reason: Mapped[str]
    claims: Mapped[dict[str, Any]]


class StepRow(Base):
    """A planner's turn: the decision is here before anything acts on it."""

    __tablename__ = "step"
    run: Mapped[str] = mapped_column(ForeignKey("run.id"), primary_key=True)
    thread: Mapped[str] = mapped_column(NAME, primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    decision: Mapped[dict[str, Any]]
    prompt: Mapped[str]
    usage: Mapped[dict[str, Any]]
    decided: Mapped[str] = mapped_column(WORD)


class ExperimentRow(Base):
    """One recorded tool call; `number` is what texts cite as `[e12]`."""

    __tablename__ = "experiment"
    __table_args__ = (UniqueConstraint("run", "thread", "step", "call"),)
    number: Mapped[int] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(ForeignKey("run.id"))
    thread: Mapped[str] = mapped_column(NAME)
    step: Mapped[int]
    call: Mapped[int]
    tool: Mapped[str] = mapped_column(NAME, index=True)
    arguments: Mapped[dict[str, Any]]
    seed: Mapped[int] = mapped_column(BigInteger)
    fingerprint: Mapped[str] = mapped_column(ForeignKey("target.fingerprint"))
    code: Mapped[str]
    split: Mapped[str] = mapped_column(WORD)
    summary: Mapped[str]
    result: Mapped[dict[str, Any]]
    error: Mapped[str]
    started: Mapped[str] = mapped_column(WORD)
    seconds: Mapped[float]


class PaymentRow(Base):
    """What was paid for requests to a language model, also where nothing came of them."""

    __tablename__ = "payment"
    __table_args__ = (Index(None, "run", "thread"),)
    number: Mapped[int] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(ForeignKey("run.id"))
    thread: Mapped[str] = mapped_column(NAME)
    body: Mapped[dict[str, Any]]
    paid: Mapped[str] = mapped_column(WORD)


class HypothesisRow(Base):
    __tablename__ = "hypothesis"
    run: Mapped[str] = mapped_column(ForeignKey("run.id"), primary_key=True)
    thread: Mapped[str] = mapped_column(NAME, primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    statement: Mapped[str]
    body: Mapped[dict[str, Any]]


class VerdictRow(Base):
    """`position` counts the verdicts on one hypothesis, from 1: a later experiment may say something else."""

    __tablename__ = "verdict"
    __table_args__ = (
        ForeignKeyConstraint(
            ["run", "thread", "hypothesis"], ["hypothesis.run", "hypothesis.thread", "hypothesis.number"]
        ),
    )
    run: Mapped[str] = mapped_column(RUN, primary_key=True)
    thread: Mapped[str] = mapped_column(NAME, primary_key=True)
    hypothesis: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    outcome: Mapped[str] = mapped_column(WORD)
    body: Mapped[dict[str, Any]]


class DescriptionRow(Base):
    """A text as it was frozen, before the blind test; what the test said stands in `component` and `score`."""

    __tablename__ = "description"
    __table_args__ = (ForeignKeyConstraint(["run", "component"], ["component.run", "component.address"]),)
    run: Mapped[str] = mapped_column(RUN, primary_key=True)
    component: Mapped[str] = mapped_column(NAME, primary_key=True)
    label: Mapped[str]
    text: Mapped[str]
    body: Mapped[dict[str, Any]]
    frozen: Mapped[str] = mapped_column(WORD)


class CitationRow(Base):
    """Who leans on an experiment: `place` is `text`, `reason`, `evidence`, `facet N`, `claim NAME` or `verdict N.M`."""

    __tablename__ = "citation"
    __table_args__ = (Index(None, "experiment"),)
    run: Mapped[str] = mapped_column(ForeignKey("run.id"), primary_key=True)
    thread: Mapped[str] = mapped_column(NAME, primary_key=True)
    place: Mapped[str] = mapped_column(NAME, primary_key=True)
    experiment: Mapped[int] = mapped_column(
        ForeignKey("experiment.number"), primary_key=True, autoincrement=False
    )


class ScoreRow(Base):
    __tablename__ = "score"
    __table_args__ = (ForeignKeyConstraint(["run", "component"], ["component.run", "component.address"]),)
    run: Mapped[str] = mapped_column(RUN, primary_key=True)
    component: Mapped[str] = mapped_column(NAME, primary_key=True)
    name: Mapped[str] = mapped_column(NAME, primary_key=True)
    split: Mapped[str] = mapped_column(WORD, primary_key=True)
    value: Mapped[float]
    body: Mapped[dict[str, Any]]
    scored: Mapped[str] = mapped_column(WORD)


class PairRow(Base):
    __tablename__ = "pair"
    run: Mapped[str] = mapped_column(ForeignKey("run.id"), primary_key=True)
    thread: Mapped[str] = mapped_column(NAME, primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    concept: Mapped[str]
    without_key: Mapped[str] = mapped_column(ForeignKey("stimulus.key"))
    with_key: Mapped[str] = mapped_column(ForeignKey("stimulus.key"))
    verified: Mapped[dict[str, Any]]


class FindingRow(Base):
    """An answer of a question or an audit, with the same receipts as a description."""

    __tablename__ = "finding"
    run: Mapped[str] = mapped_column(ForeignKey("run.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    topic: Mapped[str]
    claim: Mapped[str]
    body: Mapped[dict[str, Any]]


class ArtifactRow(Base):
    """A file in the artifacts' folder, by the hash of its bytes."""

    __tablename__ = "artifact"
    sha256: Mapped[str] = mapped_column(SHA, primary_key=True)
    media_type: Mapped[str] = mapped_column(NAME)
    size: Mapped[int] = mapped_column(BigInteger)
