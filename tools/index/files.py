"""Files of an index: replaced in one step, written by one process at a time, a full disk told in one sentence.

Knows the file system; knows nothing about what is in the files. Nothing is written through a memory map: a disk that
fills up under one ends the process without a word.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from store.errors import UserError

try:
    import fcntl
except ImportError:  # no such locks on Windows; two builds in one folder must be avoided by hand there
    fcntl = None  # type: ignore[assignment]


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of `path` when all of it is on the disk, and never before."""
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Nobody else holds `path` meanwhile; a process that dies lets go of it. Raises UserError of kind "index"."""
    with path.open("wb") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(
                    f"another process is building the index in `{path.parent}`",
                    kind="index",
                    hint="wait until it is done, or end it",
                ) from None
        yield


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turns what the disk says into a UserError of kind "disk"."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"the index can't be written to `{folder}`: {error.strerror or error}",
            kind="disk",
            hint="make room there, or choose another place; what is done so far is kept",
        ) from error
