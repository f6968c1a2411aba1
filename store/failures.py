"""What a database or a disk says when it can't, as one sentence with a remedy.

Knows the codes of SQLite and of the operating system; what it does not know passes through unchanged, as our own bug.
"""

from __future__ import annotations

import errno
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError

from store.errors import UserError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CUT_SHORT = re.compile(r"\d+ requested and \d+ written")
"""What NumPy says of a full disk, without the system's number for it."""


@contextmanager
def told(where: str) -> Iterator[None]:
    """Turns what goes wrong at the store `where` for reasons outside it into a UserError."""
    try:
        yield
    except DBAPIError as error:
        if (said := _of_database(error, where)) is None:
            raise
        raise said from error
    except OSError as error:
        raise _of_disk(error, where) from error


@contextmanager
def room_told(where: str) -> Iterator[None]:
    """Turns a full disk and what SQLite refuses into a UserError; for work that writes more than the store `where`."""
    try:
        yield
    except sqlite3.Error as error:
        if (said := _of_sqlite(error, where)) is None:
            raise
        raise said from error
    except OSError as error:
        if error.errno not in _NO_ROOM and _CUT_SHORT.search(str(error)) is None:
            raise
        raise no_room(str(error.filename or where)) from error


def _of_database(error: DBAPIError, where: str) -> UserError | None:
    if isinstance(error.orig, sqlite3.Error):
        return _of_sqlite(error.orig, where)
    if isinstance(error, OperationalError):
        return UserError(
            f"the store `{where}` does not answer",
            kind="store-lost",
            hint="see that its server runs and lets you in; what was acknowledged is kept",
        )
    return None


def _of_sqlite(error: sqlite3.Error, where: str) -> UserError | None:
    code = getattr(error, "sqlite_errorcode", None)
    match code & 0xFF if isinstance(code, int) else None:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return UserError(
                f"the store `{where}` is locked by another process",
                kind="store-locked",
                hint="wait for the other command, or end what still holds the file",
            )
        case sqlite3.SQLITE_FULL:
            return no_room(where)
        case sqlite3.SQLITE_NOTADB:
            return UserError(
                f"`{where}` is a file but no store",
                kind="store-unreadable",
                hint="name another file with `--store`",
            )
        case sqlite3.SQLITE_CORRUPT:
            return UserError(
                f"the store `{where}` is damaged",
                kind="store-unreadable",
                hint="restore it from a copy, or save what is left with `sqlite3 FILE .recover`",
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return UserError(
                f"the store `{where}` can't be written",
                kind="store-readonly",
                hint="allow writing to the file and its folder, or name another with `--store`",
            )
        case sqlite3.SQLITE_CANTOPEN:
            return UserError(
                f"the store `{where}` can't be opened",
                kind="store-folder",
                hint="name a file in a folder that you can write to with `--store`",
            )
        case sqlite3.SQLITE_IOERR:
            return UserError(
                f"the disk under the store `{where}` refused to read or write",
                kind="store-disk",
                hint="check the disk's room and health; what was acknowledged is kept",
            )
    return None


def _of_disk(error: OSError, where: str) -> UserError:
    if error.errno in _NO_ROOM:
        return no_room(where)
    return UserError(
        f"`{error.filename or where}` can't be used: {(error.strerror or str(error)).lower()}",
        kind="store-folder",
        hint="name a place that you can write to with `--store` or MAIEUTIC_ARTIFACTS",
    )


def no_room(where: str) -> UserError:
    return UserError(
        f"there is no room left on the disk of `{where}`",
        kind="disk-full",
        hint="make room and resume the run; what was acknowledged is kept",
    )
