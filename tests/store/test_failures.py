"""What fails while a store is in use: one sentence, nothing half written, and the next write works."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from store.database import Store, open_store
from store.errors import UserError
from tests.conftest import CHECKOUT
from tests.store.records import TARGET, UNIT, begin, measure

BIG = {"summary": "x" * 400_000}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An SQLite store: what is tried here are its own failures."""
    monkeypatch.delenv("MAIEUTIC_ARTIFACTS", raising=False)
    with open_store(tmp_path / "store.db", patience=0.05) as store:
        yield store


@contextmanager
def switched(store: Store, on: str, off: str) -> Iterator[None]:
    """A switch of the one connection that the store has pooled."""
    with store.engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA {on}")
    yield
    with store.engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA {off}")


def test_a_store_that_another_process_writes_to_for_too_long_is_told(here: Store) -> None:
    run = begin(here, TARGET)
    first = measure(here, run)
    holder = sqlite3.connect(here.where, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(UserError, match=f"the store `{here.where}` is locked by another process") as told:
            measure(here, run, 1)
        assert here.queries.experiments() == [first]
    finally:
        holder.close()
    assert told.value.kind == "store-locked"
    assert [measure(here, run, step).number for step in (0, 1)] == [1, 2]


def test_a_full_disk_is_told_and_what_was_acknowledged_is_kept(here: Store) -> None:
    run = begin(here, TARGET)
    first = measure(here, run)
    with switched(here, "max_page_count = 1", "max_page_count = 1073741823"):
        with pytest.raises(UserError, match="there is no room left on the disk") as told:
            measure(here, run, 1, result=BIG)
        assert here.queries.experiments() == [first]
    assert told.value.kind == "disk-full"
    assert "make room" in told.value.hint
    assert measure(here, run, 1, result=BIG).number == 2


def test_a_store_that_can_not_be_written_is_told(here: Store) -> None:
    run = begin(here, TARGET)
    with (
        switched(here, "query_only = ON", "query_only = OFF"),
        pytest.raises(UserError, match="can't be written") as told,
    ):
        measure(here, run)
    assert told.value.kind == "store-readonly"
    assert measure(here, run).number == 1


def test_a_full_disk_leaves_no_half_written_file(here: Store) -> None:
    script = (
        "import resource, signal, sys\n"
        "from store.database import open_store\n"
        "from store.errors import UserError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "with open_store(sys.argv[1]) as store:\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))\n"
        "    try:\n"
        "        store.artifacts.put(bytes(400_000), 'image/png')\n"
        "    except UserError as error:\n"
        "        print(error.kind, error.message)\n"
        "    print(store.artifacts.put(b'small', 'image/png'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, here.where], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    told, small = done.stdout.splitlines()
    assert told == f"disk-full there is no room left on the disk of `{here.artifacts.folder}`"
    assert [path.name for path in here.artifacts.folder.rglob("*") if path.is_file()] == [small]


def test_a_folder_for_files_that_can_not_be_made_is_named(
    here: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MAIEUTIC_ARTIFACTS", str(tmp_path / "file" / "sub"))
    with (
        open_store(tmp_path / "store.db") as store,
        pytest.raises(UserError, match=r"can't be used: not a directory") as told,
    ):
        store.artifacts.put(b"x", "image/png")
    assert "MAIEUTIC_ARTIFACTS" in told.value.hint


def test_our_own_bugs_pass_through_unchanged(here: Store) -> None:
    with pytest.raises(RuntimeError, match="no run `nothere` is recorded"):
        measure(here, "nothere")
    with pytest.raises(RuntimeError, match="no run"):
        here.recorder.components("nothere", [UNIT])
