"""Opening a store: made if missing, brought up to date if older, refused in one sentence if it can't be used."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from store.database import VERSION, VERSION_TABLE, open_store
from store.errors import UserError
from tests.conftest import CHECKOUT
from tests.store.records import TARGET, begin, measure


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAIEUTIC_STORE", "MAIEUTIC_ARTIFACTS"):
        monkeypatch.delenv(name, raising=False)


def refusal(where: str | Path) -> UserError:
    """What `open_store` says of a store that can't be opened: one sentence and a hint."""
    with pytest.raises(UserError) as refused:
        open_store(where, patience=0.05)
    error = refused.value
    assert error.hint
    assert "\n" not in error.message
    assert not error.message.endswith(".")
    return error


def test_a_store_is_made_with_its_folders(tmp_path: Path) -> None:
    where = tmp_path / "deep" / "er" / "study.db"
    with open_store(where) as store:
        assert store.queries.runs() == []
    assert where.is_file()


def test_the_default_place_is_told_by_the_environment_else_the_users_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with open_store() as store:
        assert Path(store.where).is_relative_to(tmp_path)
        assert store.where.endswith("maieutic/store.db")
    monkeypatch.setenv("MAIEUTIC_STORE", str(tmp_path / "mine.db"))
    with open_store() as store:
        assert store.where == str(tmp_path / "mine.db")
    with open_store(tmp_path / "other.db") as store:
        assert store.where == str(tmp_path / "other.db")


def test_a_url_names_the_same_file_as_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(tmp_path / "a.db") as store:
        run = begin(store, TARGET)
    with open_store(f"sqlite:///{tmp_path / 'a.db'}") as store:
        assert store.queries.run(run)
    monkeypatch.chdir(tmp_path)
    for relative in ("a.db", "sqlite:///a.db"):
        with open_store(relative) as store:
            assert store.artifacts.folder == tmp_path / "a.db.artifacts"
            assert store.queries.run(run)


def test_sqlite_is_set_to_survive_a_crash_and_to_wait_for_others(tmp_path: Path) -> None:
    with open_store(tmp_path / "a.db", patience=3.0) as store, store.engine.connect() as connection:
        switches = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        }
    assert switches == {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 3000, "foreign_keys": 1}


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    where = tmp_path / "notes.txt"
    where.write_text("not a database, but long enough to have a header\n" * 40)
    before = where.read_bytes()
    error = refusal(where)
    assert (error.kind, error.message) == ("store-unreadable", f"`{where}` is a file but no store")
    assert where.read_bytes() == before


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    where = tmp_path / "other.db"
    execute(where, "CREATE TABLE guests (name TEXT)")
    error = refusal(where)
    assert (error.kind, error.message) == (
        "store-unreadable",
        f"`{where}` is a database of another program",
    )
    assert execute(where, "SELECT name FROM sqlite_master") == [("guests",)]


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "a.db").touch()
    with open_store(tmp_path / "a.db") as store:
        assert begin(store, TARGET)


def test_a_store_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    where = tmp_path / "a.db"
    open_store(where).close()
    execute(where, f"UPDATE {VERSION_TABLE} SET version_num = '987'")
    error = refusal(where)
    assert error.kind == "store-newer"
    assert error.message == (
        f"the store `{where}` was written by a newer version (schema 987, this one knows {VERSION})"
    )
    assert "upgrade maieutic" in error.hint
    assert execute(where, f"SELECT version_num FROM {VERSION_TABLE}") == [("987",)]


def test_a_damaged_store_is_refused(tmp_path: Path) -> None:
    where = tmp_path / "a.db"
    open_store(where).close()
    whole = where.read_bytes()
    where.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))
    assert refusal(where).kind == "store-unreadable"


def test_a_folder_is_refused_with_a_file_in_it_as_the_hint(tmp_path: Path) -> None:
    error = refusal(tmp_path)
    assert (error.kind, error.message) == ("store-folder", f"`{tmp_path}` is a folder")
    assert str(tmp_path / "store.db") in error.hint


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    error = refusal(tmp_path / "file" / "sub" / "a.db")
    assert error.kind == "store-folder"
    assert f"`{tmp_path / 'file'}" in error.message
    assert "--store" in error.hint


def test_a_locked_database_is_refused_after_a_while(tmp_path: Path) -> None:
    where = tmp_path / "a.db"
    holder = sqlite3.connect(where, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        error = refusal(where)
    finally:
        holder.close()
    assert (error.kind, error.message) == (
        "store-locked",
        f"the store `{where}` is locked by another process",
    )
    open_store(where).close()


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("://", "can't be read"),
        ("sqlite://", "a store needs a file"),
        ("sqlite:///:memory:", "a store needs a file"),
        ("abacus://localhost/x", "has no folder for its files"),
    ],
)
def test_a_url_that_names_no_store_is_refused(where: str, message: str) -> None:
    error = refusal(where)
    assert error.kind == "store"
    assert message in error.message


def test_a_missing_driver_is_named_without_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIEUTIC_ARTIFACTS", "/nowhere")
    error = refusal("abacus://me:secret@localhost/x")
    assert "needs a driver that is not installed" in error.message
    assert "secret" not in error.message + error.hint


def test_a_new_store_may_be_opened_by_several_at_once(tmp_path: Path) -> None:
    def open_and_begin(_: int) -> str:
        with open_store(tmp_path / "a.db") as store:
            return begin(store, TARGET)

    with ThreadPoolExecutor(6) as pool:
        runs = set(pool.map(open_and_begin, range(6)))
    with open_store(tmp_path / "a.db") as store:
        assert {run.id for run in store.queries.runs()} == runs
        assert len(runs) == 6


def test_a_closed_store_leaves_one_file_behind(tmp_path: Path) -> None:
    with open_store(tmp_path / "a.db") as store:
        measure(store, begin(store, TARGET))
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]


def test_the_store_is_imported_without_models_and_without_the_migrations() -> None:
    asked = (
        "import sys, store.database; print([n for n in ('torch', 'numpy', 'alembic') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def execute(where: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(where)
    try:
        with connection:
            return connection.execute(statement).fetchall()
    finally:
        connection.close()
