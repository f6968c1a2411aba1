"""The two ways into the database: writing, one piece at a time and on the disk before it is acknowledged; and reading.

Knows locks, transactions and the retry after a race with another process; knows nothing about what is written.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from sqlalchemy import Engine, Select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from store.failures import told
from store.opening import for_writing

T = TypeVar("T")


class Access:
    """Runs pieces of work, each in a transaction of its own, from any thread."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._reading = engine
        self._writing = for_writing(engine)
        self._where = where
        self._turn = threading.Lock()

    def write(self, work: Callable[[Session], T]) -> T:
        """What `work` returns, once all that it wrote is on the disk; after an error nothing of it is.

        The work may run twice: where another process has just written the same key, the second look finds its row.
        """
        with self._turn, told(self._where):
            try:
                return self._write_once(work)
            except IntegrityError:
                return self._write_once(work)

    def read(self, work: Callable[[Session], T]) -> T:
        """What `work` finds in one consistent state of the record; it does not wait for writers."""
        with told(self._where), Session(self._reading) as session:
            return work(session)

    def stream(self, *chosen: Select[T]) -> Iterator[T]:
        """The entities that the statements find, one after the other, of one consistent state and few at a time."""
        with told(self._where), Session(self._reading) as session:
            for statement in chosen:
                yield from session.scalars(statement.execution_options(yield_per=500))

    def _write_once(self, work: Callable[[Session], T]) -> T:
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            return work(session)
