"""What runs a coroutine to its end for somebody who may interrupt it: a command, or a notebook that goes on afterwards.

A first interruption lets what has begun end: a call at the bench, an answer that is on its way and paid for. A second
one waits for nothing; the record stands then as after a kill. Knows signals and threads; knows nothing about the work.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, wait
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import Any

from experiments.commands.output import narrate

INTERRUPTED = 130
"""Exit code of a process that was interrupted."""
STOPPING = "finishing what has begun and is paid for, then stopping; Ctrl-C again stops at once"
NAP = 0.5
"""Seconds that an interruption may go unheard."""
Work = Coroutine[Any, Any, None]


def in_this_process(again: str) -> Callable[[Work], None]:
    """For commands, whose process has nothing else to do: a second interruption ends it, and says how to go on."""

    def drive(work: Work) -> None:
        before = signal.getsignal(signal.SIGINT)
        try:
            asyncio.run(_heard(work, again))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            signal.signal(signal.SIGINT, before)

    return drive


async def _heard(work: Work, again: str) -> None:
    """The work; an interruption is told when it comes, since what has begun is waited for.

    The loop's own handlers wake it: a signal that comes just before it falls asleep would be heard when it wakes.
    """
    current = asyncio.current_task()
    assert current is not None
    with suppress(NotImplementedError):  # Windows, where asyncio.run does what it can
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, current.cancel)

    def leave(*_: object) -> None:
        os.write(sys.stderr.fileno(), f"Interrupted.\nHint: {again}\n".encode())
        os._exit(INTERRUPTED)

    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        signal.signal(signal.SIGINT, leave)
        narrate(STOPPING)
        task.cancel()
        await task


class InAThread:
    """For scripts and notebooks: each work in a loop and a thread of its own, one after the other, since a notebook's
    loop is busy running the caller.

    A second interruption is raised in the caller at once. What has begun ends by itself then, and the next work waits
    for it; a script that ends by the interruption takes it along.
    """

    def __init__(self) -> None:
        self._last: Thread | None = None

    def __call__(self, work: Work) -> None:
        if self._last is not None:
            self._last.join()
        begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = Future()
        ended: Future[None] = Future()

        async def placed() -> None:
            task = asyncio.current_task()
            assert task is not None
            begun.set_result((asyncio.get_running_loop(), task))
            await work

        def run() -> None:
            try:
                asyncio.run(placed())
            except BaseException as error:
                ended.set_exception(error)
            else:
                ended.set_result(None)

        self._last = Thread(target=run, name="study")
        try:
            self._last.start()
            _wait_for(ended)
        except KeyboardInterrupt:
            try:
                loop, task = begun.result()
                with suppress(RuntimeError):  # it has just ended by itself
                    loop.call_soon_threadsafe(task.cancel)
                narrate(STOPPING)
                _wait_for(ended)
            except KeyboardInterrupt:
                _take_along(self._last)
            raise
        ended.result()


def _wait_for(ended: Future[None]) -> None:
    """Asleep for short times only: an interruption that comes just before is heard after the next."""
    while not ended.done():
        wait([ended], timeout=NAP)


def _take_along(thread: Thread) -> None:
    """A script that ends by an interruption does not wait for the thread; who goes on, at a prompt, keeps it."""
    told = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        told(kind, error, trace)
        if issubclass(kind, KeyboardInterrupt) and thread.is_alive() and not hasattr(sys, "ps1"):
            sys.stdout.flush()
            os._exit(INTERRUPTED)

    sys.excepthook = hook
