"""The bench: one thread that holds the model, and a queue in front of it.

Knows how an event loop hands work to that thread and waits without stopping. Knows nothing about what is measured;
calls run one at a time, first come, first served.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")


class Bench:
    """Use it in a `with`: leaving waits for the call in hand and drops those that have not begun."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bench")

    async def submit(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises, done on the model thread.

        A caller that is cancelled stops waiting; work that has begun is finished, and what it recorded stands.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
