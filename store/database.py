"""The store: one database with the record, and beside it a folder with the files.

`open_store` finds it, brings an older one up to date and refuses a newer one. Knows which version of the schema this
program speaks; what is written and asked is the business of recorder.py, artifacts.py and queries.py.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, inspect, text

from store.access import Access
from store.artifacts import Artifacts
from store.errors import UserError
from store.failures import told
from store.opening import connect, for_writing, location, plainly
from store.queries import Queries
from store.recorder import Recorder

VERSION = "002"
"""Of the schema that this program speaks: the name of the last migration."""
VERSION_TABLE = "maieutic_version"
PATIENCE = 10.0
"""Seconds to wait for a lock that another process holds."""


class Store:
    """An open store. `recorder` writes, `queries` reads, `artifacts` keeps files; close it, or use it in a `with`."""

    def __init__(self, engine: Engine, artifacts: Path) -> None:
        self.engine = engine
        self.where = plainly(engine.url)
        self.access = access = Access(engine, self.where)
        self.artifacts = Artifacts(artifacts, access)
        self.recorder = Recorder(access)
        self.queries = Queries(access)

    def close(self) -> None:
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(where: str | Path | None = None, *, patience: float = PATIENCE) -> Store:
    """The store at a path or URL; by default MAIEUTIC_STORE, else a file in the user's data folder. Made if missing.

    Raises UserError for a file that is no store, one from a newer version, a lock that others hold for longer than
    `patience` seconds, a full disk, and a folder that can't be made or written.
    """
    url = location(where)
    artifacts = _artifacts_of(plainly(url), url.get_backend_name() == "sqlite")
    engine = connect(url, patience)
    try:
        with told(plainly(url)):
            _bring_up_to_date(engine)
        return Store(engine, artifacts)
    except BaseException:
        engine.dispose()
        raise


def known_store(where: str | Path | None = None) -> Store:
    """The store that is there already, for those who only read. Raises UserError where there is none; makes none."""
    url = location(where)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        raise UserError(
            f"there is no store at `{plainly(url)}`",
            kind="store-missing",
            hint="check the path of `--store`; `maieutic label` begins a new store",
        )
    return open_store(where)


def _artifacts_of(where: str, is_file: bool) -> Path:
    if folder := os.environ.get("MAIEUTIC_ARTIFACTS"):
        return Path(folder).expanduser().absolute()
    if not is_file:
        raise UserError(
            f"the store `{where}` has no folder for its files",
            kind="store",
            hint="name one in the environment variable MAIEUTIC_ARTIFACTS",
        )
    return Path(f"{where}.artifacts")


def _bring_up_to_date(engine: Engine) -> None:
    with engine.connect() as connection:
        if _version(connection) == VERSION:
            return
    with for_writing(engine).begin() as connection:
        from store.migrations import upgrade

        upgrade(connection, VERSION_TABLE)


def _version(connection: Connection) -> str:
    """The schema's version in the database, empty for a new one. Refuses newer ones and other programs' databases."""
    where = plainly(connection.engine.url)
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return ""
    found = None
    if VERSION_TABLE in tables:
        found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    if found is None:
        raise UserError(
            f"`{where}` is a database of another program",
            kind="store-unreadable",
            hint="name another file with `--store`",
        )
    if found > VERSION:
        raise UserError(
            f"the store `{where}` was written by a newer version (schema {found}, this one knows {VERSION})",
            kind="store-newer",
            hint="upgrade maieutic, or name another store with `--store`",
        )
    return str(found)
