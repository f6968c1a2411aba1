"""Whoever interrupts a study's work waits until it has stopped; whoever does it twice waits for nothing."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading

import pytest

from experiments.driving import STOPPING, InAThread


def interrupt() -> None:
    """As Ctrl-C does: the signal comes to the thread that waits."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def test_work_that_ends_is_waited_for_and_what_it_raises_is_raised() -> None:
    drive, done = InAThread(), list[int]()

    async def work(number: int) -> None:
        await asyncio.sleep(0)
        done.append(1 // number)

    drive(work(1))
    with pytest.raises(ZeroDivisionError):
        drive(work(0))
    drive(work(1))
    assert done == [1, 1]


def test_an_interruption_cancels_the_work_says_so_and_waits_until_it_has_stopped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stopped: list[str] = []

    async def work() -> None:
        interrupt()
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.1)
            stopped.append("in order")

    with pytest.raises(KeyboardInterrupt):
        InAThread()(work())
    assert stopped == ["in order"] and capsys.readouterr().err == f"{STOPPING}\n"


def test_a_second_interruption_is_raised_at_once_and_the_next_work_waits_for_what_has_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    gate, order, drive = threading.Event(), list[str](), InAThread()

    async def begun() -> None:
        interrupt()
        try:
            await asyncio.sleep(60)
        finally:
            interrupt()
            await asyncio.to_thread(gate.wait, 60)
            order.append("what had begun")

    async def next_() -> None:
        order.append("what came next")

    with pytest.raises(KeyboardInterrupt):
        drive(begun())
    assert order == []
    threading.Timer(0.1, gate.set).start()
    drive(next_())
    assert order == ["what had begun", "what came next"]
