"""The sandbox in processes of their own: an interpreter's worker, a keeper that holds it, and we who kill both.

Knows how a keeper is begun, answered and ended; what it says is data from a stranger. Every program gets a new keeper
with a new worker, so nothing that one program did meets the next. Knows nothing about tools.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from pydantic import JsonValue, TypeAdapter

from agent.programs.limits import AT_ONCE, BOUNDS, Bounds
from agent.programs.sandbox import Ask, End, Ended, Unanswered
from store.records import Model

HERE = Path(__file__).resolve().parent
KEEPER, GIVEN = HERE / "keeper.py", HERE / "given.py"
UNSTOPPED = "it did not end, and its process was killed"
"""What is told of a program that neither the interpreter nor its keeper stopped, or whose keeper made no sense."""
LINE = 2**20
"""Bytes of the longest line that a keeper may say."""


class _Call(Model):
    """What a keeper says when the program calls a tool."""

    call: str
    args: list[JsonValue]
    kwargs: dict[str, JsonValue]


class _End(Model):
    """What a keeper says last."""

    end: End
    told: str = ""
    line: int | None = None
    printed: str = ""
    cut: int = 0


_SAID: TypeAdapter[_End | _Call] = TypeAdapter(_End | _Call)
_places: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


class Processes:
    """A sandbox on pydantic-monty. `checked` False leaves types to the program's luck, for tests of what is behind."""

    def __init__(self, bounds: Bounds = BOUNDS, *, checked: bool = True) -> None:
        self.bounds = bounds
        self.checked = checked

    async def run(self, source: str, stubs: str, names: Sequence[str], ask: Ask, /) -> Ended:
        """Runs the program; cancelled, it leaves no process behind."""
        if len(source) > self.bounds.source:
            return Ended("refused", f"a program has {self.bounds.source} characters at most")
        async with _places.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE)):
            keeper = await self._begun()
            try:
                return await self._served(keeper, source, stubs, names, ask)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(keeper.pid, signal.SIGKILL)
                await keeper.communicate()

    async def _begun(self) -> Process:
        """A keeper, with nothing of ours but its own text: no environment, no folder, no open file but two pipes."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(KEEPER),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env={},
            cwd="/",
            limit=LINE,
            start_new_session=True,
        )

    async def _served(
        self, keeper: Process, source: str, stubs: str, names: Sequence[str], ask: Ask
    ) -> Ended:
        order = {
            "source": source,
            "given": GIVEN.read_text(encoding="utf-8"),
            "stubs": stubs,
            "names": list(names),
            "check": self.checked,
            "bounds": asdict(self.bounds),
        }
        _tell(keeper, order)
        while (said := await self._heard(keeper)) is not None:
            if isinstance(said, _End):
                printed, told = said.printed[: self.bounds.printed], said.told[: self.bounds.told]
                return Ended(said.end, told, said.line, printed, said.cut)
            if said.call not in names:
                break
            try:
                answer = {"value": await ask(said.call, said.args, said.kwargs)}
            except Unanswered as error:
                answer = {"error": str(error)}
            _tell(keeper, answer)
        return Ended("crash", UNSTOPPED)

    async def _heard(self, keeper: Process) -> _End | _Call | None:
        """What the keeper says next; None where it says nothing in time, or nothing that it should."""
        assert keeper.stdout is not None
        patience = self.bounds.seconds + self.bounds.grace + self.bounds.patience
        try:
            return _SAID.validate_json(await asyncio.wait_for(keeper.stdout.readline(), patience))
        except (TimeoutError, ValueError):
            return None


def _tell(keeper: Process, told: dict[str, Any]) -> None:
    """A keeper that is gone hears nothing, which is seen when it does not answer."""
    assert keeper.stdin is not None
    with suppress(ConnectionError):
        keeper.stdin.write(json.dumps(told).encode() + b"\n")
