"""Migrations: they lead to the tables of the models, stand in one line, and a broken one leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from store import migrations
from store.database import VERSION, VERSION_TABLE, Store, open_store
from store.migrations import configure
from store.schema import Base


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


def test_a_migration_that_breaks_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text((migrations.FOLDER / "env.py").read_text())
    first = (migrations.FOLDER / "versions" / "001_the_record.py").read_text()
    (folder / "versions" / "001_broken.py").write_text(
        first.replace("    tables()\n", "    tables()\n    raise OSError('the power went')\n")
    )
    monkeypatch.setattr(migrations, "FOLDER", folder)
    where = tmp_path / "a.db"
    with pytest.raises(Exception, match="the power went"):
        open_store(where)
    monkeypatch.undo()
    with open_store(where) as store:
        assert set(Base.metadata.tables) < set(inspect(store.engine).get_table_names())
