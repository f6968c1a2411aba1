"""A sandbox that is none: `exec` in a plain Python process, with our environment. The proof must catch it.

Knows the lines that a keeper speaks. Never used for programs that anybody means to run.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

from agent.programs.limits import Bounds
from agent.programs.processes import LINE, Processes

ROOM = 2 * 2**30
"""Bytes that it may take, for the sake of the machine."""
HANDED = "LEAKY_SECRET"


class Leaky(Processes):
    """Runs programs with `exec`; `secret` is the word that a walk through frames and modules would find."""

    def __init__(self, bounds: Bounds, secret: str) -> None:
        super().__init__(bounds)
        self.secret = secret

    async def _begun(self) -> Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).resolve()),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), HANDED: self.secret},
            limit=LINE,
            start_new_session=True,
        )


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
    pipes = sys.stdin, sys.stdout
    order = json.loads(pipes[0].readline())
    sys.stdout = printed = StringIO()
    told = {"end": "done", "told": ""}
    secret = os.environ.pop(HANDED)
    names = {"SECRET": secret, "__name__": "__main__"} | {
        name: function(name, *pipes) for name in order["names"]
    }
    try:
        exec(order["given"], names)
        exec(order["source"], names)
    except BaseException as error:
        told = {"end": "error", "told": f"{type(error).__name__}: {error}"[:600]}
    pipes[1].write(json.dumps(told | {"printed": printed.getvalue()[:100_000]}) + "\n")
    pipes[1].flush()
    os._exit(0)


def function(name: str, stdin: Any, stdout: Any) -> Callable[..., Any]:
    """A tool as the program calls it."""

    def called(*args: Any, **named: Any) -> Any:
        stdout.write(json.dumps({"call": name, "args": args, "kwargs": named}) + "\n")
        stdout.flush()
        answer = json.loads(stdin.readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["value"]

    return called


if __name__ == "__main__":
    main()
