"""Payments: what language models cost, by request, also where nothing came of them. It only grows.

Until here turns and experiments held all that was known of it: each that had cost something becomes one payment.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "002"
down_revision = "001"


def upgrade() -> None:
    op.create_table(
        "payment",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("run", sa.String(length=16), nullable=False),
        sa.Column("thread", sa.String(length=200), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("paid", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name="fk_payment_run"),
        sa.PrimaryKeyConstraint("number", name="pk_payment"),
    )
    op.create_index("ix_payment_run_thread", "payment", ["run", "thread"])
    known_already()
    refuse_changes()


def known_already() -> None:
    """From the usage of turns and the cost of experiments, in the order in which they were recorded."""
    bind = op.get_bind()
    paid: list[tuple[str, str, str, dict[str, Any]]] = []
    for run, thread, when, usage in bind.execute(_all("step", "decided", "usage")):
        paid.append((run, thread, when, usage))
    for run, thread, when, result in bind.execute(_all("experiment", "started", "result")):
        paid.append((run, thread, when, result.get("cost") or {}))
    payment = sa.table("payment", *map(sa.column, ("run", "thread", "paid")), sa.column("body", sa.JSON()))
    for run, thread, when, cost in sorted(paid, key=lambda row: row[2]):
        if requests := int(cost.get("requests") or 0):
            told = body(cost, requests)
            bind.execute(payment.insert().values(run=run, thread=thread, paid=when, body=told))


def body(cost: dict[str, Any], requests: int) -> dict[str, Any]:
    counted = (int(cost.get(name) or 0) for name in ("tokens", "prompt_tokens", "completion_tokens"))
    return {
        "tokens": sum(counted),
        "requests": requests,
        "money": cost.get("money"),
        "currency": str(cost.get("currency") or ""),
        "estimated": bool(cost.get("estimated")),
    }


def refuse_changes() -> None:
    dialect = op.get_bind().dialect.name
    for change in ("UPDATE", "DELETE"):
        if dialect == "sqlite":
            op.execute(
                f"CREATE TRIGGER payment_no_{change.lower()} BEFORE {change} ON payment "
                "BEGIN SELECT RAISE(ABORT, 'payment is append-only'); END"
            )
        elif dialect == "postgresql":
            op.execute(
                f"CREATE TRIGGER payment_no_{change.lower()} BEFORE {change} ON payment "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )


def _all(name: str, when: str, told: str) -> sa.Select[Any]:
    table = sa.table(name, *map(sa.column, ("run", "thread", when)), sa.column(told, sa.JSON()))
    return sa.select(table)
