"""What a sandbox is: something that runs a stranger's program and lets it do nothing but ask.

Knows the interface and how a run of it can end; knows neither an interpreter nor a tool. Whatever the program does,
`run` returns: it raises only what `ask` raised, which is how the one who asked stops a program.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

End = Literal["done", "error", "refused", "limit", "crash"]
"""`done`: it ran to its end. `error`: it raised something. `refused`: it was not run, since it can't be read or its
types do not fit. `limit`: it took more time, memory, depth or calls than there are. `crash`: its process had to be
killed, or died."""


class Unanswered(Exception):
    """What `ask` raises where the program may go on: it sees a ValueError with these words."""


Ask = Callable[[str, Sequence[Any], dict[str, Any]], Awaitable[Any]]
"""Is given a function's name, its positional and its named arguments, all of them plain data, and answers with plain
data. Raises Unanswered for what the program should hear; anything else ends the program and is raised by `run`."""


@dataclass(frozen=True)
class Ended:
    """How a program ended: `told` says why where it is not `done`, `line` is where (from 1; None: nowhere).

    `printed` is what it printed, of which `cut` characters more were dropped.
    """

    end: End
    told: str = ""
    line: int | None = None
    printed: str = ""
    cut: int = 0


class Sandbox(Protocol):
    async def run(self, source: str, stubs: str, names: Sequence[str], ask: Ask, /) -> Ended:
        """Runs `source`, which may call the functions `names`, whose types are in `stubs`."""
        ...
