"""The record: fifteen tables, four of which the database itself lets only grow."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "001"
down_revision = None
APPEND_ONLY = ("experiment", "verdict", "score", "description")


def upgrade() -> None:
    tables()
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        )
    for table in APPEND_ONLY:
        for change in ("UPDATE", "DELETE"):
            if dialect == "sqlite":
                op.execute(
                    f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
            elif dialect == "postgresql":
                op.execute(
                    f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                    "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
                )


def tables() -> None:
    op.create_table(
        "artifact",
        _column("sha256", sa.String(length=64)),
        _column("media_type", sa.String(length=200)),
        _column("size", sa.BigInteger()),
        sa.PrimaryKeyConstraint("sha256", name="pk_artifact"),
    )
    op.create_table(
        "dataset",
        _column("fingerprint", sa.String(length=200)),
        _column("split", sa.String(length=32)),
        _column("name", sa.String(length=200)),
        _column("size", sa.BigInteger()),
        sa.PrimaryKeyConstraint("fingerprint", "split", "name", name="pk_dataset"),
    )
    op.create_table(
        "stimulus",
        _column("key", sa.String(length=500)),
        _column("sha256", sa.String(length=64)),
        _column("split", sa.String(length=32)),
        _column("kind", sa.Text()),
        _column("artifact", sa.String(length=64)),
        sa.PrimaryKeyConstraint("key", name="pk_stimulus"),
    )
    op.create_index("ix_stimulus_sha256", "stimulus", ["sha256"])
    op.create_table(
        "target",
        _column("fingerprint", sa.String(length=200)),
        _column("name", sa.Text()),
        _column("family", sa.String(length=32)),
        _column("about", sa.JSON()),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_target"),
    )
    op.create_table(
        "run",
        _column("id", sa.String(length=16)),
        _column("kind", sa.String(length=32)),
        _column("fingerprint", sa.String(length=200)),
        _column("arguments", sa.JSON()),
        _column("seed", sa.BigInteger()),
        _column("planner", sa.Text()),
        _column("status", sa.String(length=32)),
        _column("started", sa.String(length=32)),
        _column("ended", sa.String(length=32)),
        sa.ForeignKeyConstraint(["fingerprint"], ["target.fingerprint"], name="fk_run_fingerprint"),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
    )
    op.create_table(
        "component",
        _column("run", sa.String(length=16)),
        _column("address", sa.String(length=200)),
        _column("status", sa.String(length=32)),
        _column("reason", sa.Text()),
        _column("claims", sa.JSON()),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name="fk_component_run"),
        sa.PrimaryKeyConstraint("run", "address", name="pk_component"),
    )
    op.create_table(
        "experiment",
        _column("number", sa.Integer()),
        _column("run", sa.String(length=16)),
        _column("thread", sa.String(length=200)),
        _column("step", sa.Integer()),
        _column("call", sa.Integer()),
        _column("tool", sa.String(length=200)),
        _column("arguments", sa.JSON()),
        _column("seed", sa.BigInteger()),
        _column("fingerprint", sa.String(length=200)),
        _column("code", sa.Text()),
        _column("split", sa.String(length=32)),
        _column("summary", sa.Text()),
        _column("result", sa.JSON()),
        _column("error", sa.Text()),
        _column("started", sa.String(length=32)),
        _column("seconds", sa.Double()),
        sa.ForeignKeyConstraint(["fingerprint"], ["target.fingerprint"], name="fk_experiment_fingerprint"),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name="fk_experiment_run"),
        sa.PrimaryKeyConstraint("number", name="pk_experiment"),
        sa.UniqueConstraint("run", "thread", "step", "call", name="uq_experiment_run_thread_step_call"),
    )
    op.create_index("ix_experiment_tool", "experiment", ["tool"])
    op.create_table(
        "finding",
        _column("run", sa.String(length=16)),
        _column("number", sa.Integer(), autoincrement=False),
        _column("topic", sa.Text()),
        _column("claim", sa.Text()),
        _column("body", sa.JSON()),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name="fk_finding_run"),
        sa.PrimaryKeyConstraint("run", "number", name="pk_finding"),
    )
    op.create_table(
        "hypothesis",
        _column("run", sa.String(length=16)),
        _column("thread", sa.String(length=200)),
        _column("number", sa.Integer(), autoincrement=False),
        _column("statement", sa.Text()),
        _column("body", sa.JSON()),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name="fk_hypothesis_run"),
        sa.PrimaryKeyConstraint("run", "thread", "number", name="pk_hypothesis"),
    )
    op.create_table(
        "pair",
        _column("run", sa.String(length=16)),
        _column("thread", sa.String(length=200)),
        _column("number", sa.Integer(), autoincrement=False),
        _column("concept", sa.Text()),
        _column("without_key", sa.String(length=500)),
        _column("with_key", sa.String(length=500)),
        _column("verified", sa.JSON()),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name="fk_pair_run"),
        sa.ForeignKeyConstraint(["with_key"], ["stimulus.key"], name="fk_pair_with_key"),
        sa.ForeignKeyConstraint(["without_key"], ["stimulus.key"], name="fk_pair_without_key"),
        sa.PrimaryKeyConstraint("run", "thread", "number", name="pk_pair"),
    )
    op.create_table(
        "step",
        _column("run", sa.String(length=16)),
        _column("thread", sa.String(length=200)),
        _column("step", sa.Integer(), autoincrement=False),
        _column("decision", sa.JSON()),
        _column("prompt", sa.Text()),
        _column("usage", sa.JSON()),
        _column("decided", sa.String(length=32)),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name="fk_step_run"),
        sa.PrimaryKeyConstraint("run", "thread", "step", name="pk_step"),
    )
    op.create_table(
        "citation",
        _column("run", sa.String(length=16)),
        _column("thread", sa.String(length=200)),
        _column("place", sa.String(length=200)),
        _column("experiment", sa.Integer(), autoincrement=False),
        sa.ForeignKeyConstraint(["experiment"], ["experiment.number"], name="fk_citation_experiment"),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name="fk_citation_run"),
        sa.PrimaryKeyConstraint("run", "thread", "place", "experiment", name="pk_citation"),
    )
    op.create_index("ix_citation_experiment", "citation", ["experiment"])
    op.create_table(
        "description",
        _column("run", sa.String(length=16)),
        _column("component", sa.String(length=200)),
        _column("label", sa.Text()),
        _column("text", sa.Text()),
        _column("body", sa.JSON()),
        _column("frozen", sa.String(length=32)),
        sa.ForeignKeyConstraint(
            ["run", "component"], ["component.run", "component.address"], name="fk_description_run_component"
        ),
        sa.PrimaryKeyConstraint("run", "component", name="pk_description"),
    )
    op.create_table(
        "score",
        _column("run", sa.String(length=16)),
        _column("component", sa.String(length=200)),
        _column("name", sa.String(length=200)),
        _column("split", sa.String(length=32)),
        _column("value", sa.Double()),
        _column("body", sa.JSON()),
        _column("scored", sa.String(length=32)),
        sa.ForeignKeyConstraint(
            ["run", "component"], ["component.run", "component.address"], name="fk_score_run_component"
        ),
        sa.PrimaryKeyConstraint("run", "component", "name", "split", name="pk_score"),
    )
    op.create_table(
        "verdict",
        _column("run", sa.String(length=16)),
        _column("thread", sa.String(length=200)),
        _column("hypothesis", sa.Integer(), autoincrement=False),
        _column("position", sa.Integer(), autoincrement=False),
        _column("outcome", sa.String(length=32)),
        _column("body", sa.JSON()),
        sa.ForeignKeyConstraint(
            ["run", "thread", "hypothesis"],
            ["hypothesis.run", "hypothesis.thread", "hypothesis.number"],
            name="fk_verdict_run_thread_hypothesis",
        ),
        sa.PrimaryKeyConstraint("run", "thread", "hypothesis", "position", name="pk_verdict"),
    )


def _column(name: str, kind: sa.types.TypeEngine[Any], **more: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, **more)
