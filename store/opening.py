"""How the store's database is found, connected to and set up for safe writing.

Knows what `--store` may say, SQLite's switches (WAL, FULL, busy timeout, foreign keys) and transactions that take the
write lock at once; knows nothing about tables.
"""

from __future__ import annotations

import os
import sqlite3
import time
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from store.errors import UserError
from store.failures import told

NAP = 0.02
"""Seconds between two tries to switch a file that others are opening."""


def location(where: str | Path | None) -> URL:
    """The database that `where` names: a path, a URL, or by default MAIEUTIC_STORE or the user's data folder.

    Raises UserError of kind "store" for a URL that can't be read.
    """
    where = where or os.environ.get("MAIEUTIC_STORE") or _default()
    if isinstance(where, Path) or "://" not in where:
        return _file(Path(where))
    try:
        url = make_url(where)
    except ArgumentError as error:
        raise UserError(
            "the store's URL can't be read", kind="store", hint="give a path, or `sqlite:////folder/file.db`"
        ) from error
    if url.get_backend_name() != "sqlite":
        return url
    if url.database in (None, "", ":memory:"):
        raise UserError(
            "a store needs a file", kind="store", hint="give a path, or `sqlite:////folder/file.db`"
        )
    return _file(Path(str(url.database)))


def plainly(url: URL) -> str:
    """What messages call the store: the path of a file, else the URL without its password."""
    return url.database or "" if url.get_backend_name() == "sqlite" else url.render_as_string()


def connect(url: URL, patience: float) -> Engine:
    """An engine for `url`; a lock that others hold is waited for `patience` seconds.

    Raises UserError where the folder can't be made, the path is a folder, or the database's driver is not installed.
    """
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, patience)
    try:
        return create_engine(url)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise UserError(
            f"the store `{plainly(url)}` needs a driver that is not installed",
            kind="store",
            hint="install the driver that the URL names, such as `pip install psycopg`",
        ) from error


def for_writing(engine: Engine) -> Engine:
    """The same engine, whose transactions take the write lock at once, so that nothing read in them gets stale."""
    return engine.execution_options(writes=True)


def _default() -> Path:
    from platformdirs import user_data_path

    return user_data_path("maieutic", appauthor=False) / "store.db"


def _file(path: Path) -> URL:
    return URL.create("sqlite", database=str(path.expanduser().absolute()))


def _sqlite(url: URL, patience: float) -> Engine:
    path = Path(str(url.database))
    with told(str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise UserError(
            f"`{path}` is a folder",
            kind="store-folder",
            hint=f"name a file in it, such as `{path / 'store.db'}`",
        )
    engine = create_engine(url, connect_args={"timeout": patience})
    event.listen(engine, "connect", partial(_set_up, patience))
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(patience: float, connection: Any, _record: object) -> None:
    """Every acknowledged commit reaches the disk (FULL), and readers never wait for the writer (WAL)."""
    connection.isolation_level = None  # the driver begins no transactions of its own; _begin does
    _write_ahead(connection, time.monotonic() + patience)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA recursive_triggers=ON")  # else REPLACE deletes what no trigger sees


def _write_ahead(connection: Any, until: float) -> None:
    """Switches the file to WAL, once. Where others open a new file too, SQLite refuses at once and waits for nobody."""
    while True:
        try:
            if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(NAP)


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
