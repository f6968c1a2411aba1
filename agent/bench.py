"""The bench: one thread that holds the model, and a queue in front of it.

Knows how an event loop hands work to that thread and waits without stopping. Calls are begun first come, first served,
`AT_ONCE` of them at a time, and share what they need of the model, round by round; the rest wait in the queue. A call
that waits for something elsewhere holds up none of the others. Knows nothing about what is measured.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self, TypeVar

from tools.rounds import Rounds

T = TypeVar("T")
AT_ONCE = 32
"""Calls at work side by side: each holds what it has measured so far."""


class Stopping(Exception):
    """Nothing further is begun here; what is recorded stands, and the rest is for another day."""


class _Work(NamedTuple):
    future: Future[Any]
    do: Callable[[], Any]


_Word = Literal["look", "close"]
"""What is put into the queue beside work: something has come from elsewhere; nothing more will come."""


class Bench:
    """Use it in a `with`: leaving waits for the calls at work and drops those that have not begun."""

    stopping: bool
    """Whether nothing further is to be begun."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._queue: SimpleQueue[_Work | _Word] = SimpleQueue()
        self._closed = False
        self.stopping = False
        self._thread = Thread(target=self._work, name="bench")
        self._thread.start()

    async def submit(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises, done on the model thread.

        A caller that is cancelled stops waiting; work that has begun is finished, and what it recorded stands. Raises
        Stopping where nothing is begun any more.
        """
        self.check()
        future: Future[T] = Future()
        self._queue.put(_Work(future, work))
        return await asyncio.wrap_future(future)

    def check(self) -> None:
        """Raises Stopping where nothing is begun any more."""
        if self.stopping or self._closed:
            raise Stopping

    async def carry(self, work: Coroutine[Any, Any, None]) -> None:
        """Does the work. Cancelled, it begins nothing further, and ends when what has begun has ended: a call at the
        bench, an answer that is on its way and has to be paid for."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            self.stopping = True
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # it would have been told, had nobody interrupted
            raise

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._queue.put("close")
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _work(self) -> None:
        """Begins what has come, as far as there is room, then has one round; sleeps where there is nothing to do."""
        rounds, waiting, ended = Rounds(partial(self._queue.put, "look")), deque[_Work](), False
        while not ended or waiting or len(rounds):
            begins = bool(waiting) and len(rounds) < self._at_once
            if not self._queue.empty() or (rounds.idle and not begins):
                come = self._queue.get()
                ended = ended or come == "close"
                if isinstance(come, _Work):
                    waiting.append(come)
            elif not begins:
                rounds.turn()
            elif self._closed:
                waiting.popleft().future.cancel()
            else:
                rounds.start(partial(_settle, waiting.popleft()))


def _settle(work: _Work) -> None:
    """Does it, unless nobody waits for it any more, and says what came of it."""
    if not work.future.set_running_or_notify_cancel():
        return
    try:
        found = work.do()
    except BaseException as error:
        work.future.set_exception(error)
    else:
        work.future.set_result(found)
