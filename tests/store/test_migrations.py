"""Migrations: they lead to the tables of the models, stand in one line, and a broken one leaves nothing behind."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from store import database, migrations
from store.database import VERSION, VERSION_TABLE, Store, open_store
from store.errors import UserError
from store.migrations import configure
from store.schema import Base
from store.views import Payment
from tests.store.records import TARGET, UNIT, begin, measure


def test_the_program_speaks_the_version_of_the_last_migration() -> None:
    scripts = ScriptDirectory.from_config(configure())
    assert scripts.get_heads() == [VERSION]
    revisions = [script.revision for script in scripts.walk_revisions()]
    assert revisions == sorted(revisions, reverse=True)


def test_migrations_lead_to_the_tables_of_the_models(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, Base.metadata) == []


LATER = """
import sqlalchemy as sa
from alembic import op

revision = "003"
down_revision = "002"


def upgrade() -> None:
    op.add_column("run", sa.Column("note", sa.Text(), nullable=False, server_default="none"))
"""


def test_an_older_store_is_brought_up_to_date_and_keeps_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = tmp_path / "a.db"
    with open_store(where) as store:
        run = begin(store, TARGET)
        recorded = measure(store, run)
    folder = copy_of_migrations(tmp_path)
    (folder / "versions" / "003_a_note.py").write_text(LATER)
    monkeypatch.setattr(migrations, "FOLDER", folder)
    monkeypatch.setattr(database, "VERSION", "003")
    for _ in range(2):
        with open_store(where) as store, store.engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT id, note FROM run").all() == [(run, "none")]
            assert store.queries.experiments() == [recorded]
    monkeypatch.undo()
    with pytest.raises(UserError, match="written by a newer version"):
        open_store(where)


def test_what_an_older_store_knew_to_be_paid_becomes_payments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = tmp_path / "a.db"
    folder = copy_of_migrations(tmp_path)
    (folder / "versions" / "002_what_was_paid.py").unlink()
    monkeypatch.setattr(migrations, "FOLDER", folder)
    monkeypatch.setattr(database, "VERSION", "001")
    told = {"prompt_tokens": 100, "completion_tokens": 10, "requests": 1, "money": 0.2, "currency": "EUR"}
    with open_store(where) as store:
        run = begin(store, TARGET)
        measure(store, run, result={"summary": "", "cost": {"tokens": 300, "requests": 2, "money": None}})
        measure(store, run, step=1, result={"summary": "", "cost": {"tokens": 0, "requests": 0, "money": 0}})
        for step, usage in enumerate([told, {}, told | {"estimated": True}]):
            store.recorder.step(run, UNIT, step, {"kind": "calls"}, "", usage)
    monkeypatch.undo()
    answer = Payment(tokens=110, money=0.2, currency="EUR")
    with open_store(where) as store:
        assert sorted(store.queries.payments(run, UNIT), key=lambda one: (one.requests, one.estimated)) == [
            answer,
            answer.model_copy(update={"estimated": True}),
            Payment(tokens=300, money=None, requests=2),
        ]


def test_a_migration_that_breaks_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_of_migrations(tmp_path)
    (first,) = (folder / "versions").glob("001_*.py")
    first.write_text(
        first.read_text().replace("    tables()\n", "    tables()\n    raise RuntimeError('power cut')\n")
    )
    monkeypatch.setattr(migrations, "FOLDER", folder)
    where = tmp_path / "a.db"
    with pytest.raises(RuntimeError, match="power cut"):
        open_store(where)
    monkeypatch.undo()
    with open_store(where) as store:
        assert set(Base.metadata.tables) < set(inspect(store.engine).get_table_names())


def copy_of_migrations(folder: Path) -> Path:
    return Path(
        shutil.copytree(
            migrations.FOLDER, folder / "migrations", ignore=shutil.ignore_patterns("__pycache__")
        )
    )
