"""Blocks of pictures that go through a model together, and what happens when the memory does not hold one.

Knows widths and out-of-memory; knows nothing about pictures. A block never mixes items that can't be stacked.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")
NO_ROOM = ("out of memory", "can't allocate memory", "not enough memory")
"""How it is said by drivers that raise plain RuntimeErrors."""


@dataclass
class Blocks(Generic[Item, Result]):
    """Runs items in blocks. `run` takes a block and the width at which it goes through, and gives results in order.

    `alike` names what items of a block share, `width` how many of such an item go through at once; `hopeless` is the
    result of an item for which alone there is no room. `room` is the widest block that the memory has held, once it
    has not held a wider one.
    """

    run: Callable[[Sequence[Item], int], Sequence[Result]]
    alike: Callable[[Item], Hashable]
    width: Callable[[Item], int]
    hopeless: Callable[[Item], Result]
    room: int | None = None

    def results(self, items: Sequence[Item]) -> Iterator[tuple[int, Result]]:
        """Each item's place and its result, block by block."""
        groups: dict[Hashable, list[int]] = {}
        for place, item in enumerate(items):
            groups.setdefault(self.alike(item), []).append(place)
        for places in groups.values():
            width = self.width(items[places[0]])
            for start in range(0, len(places), width):
                block = places[start : start + width]
                yield from zip(block, self._held([items[place] for place in block], width), strict=True)

    def _held(self, block: Sequence[Item], width: int) -> list[Result]:
        """The block's results, in narrower blocks when the memory does not hold it."""
        width = min(width, self.room or width)
        if len(block) > width:
            parts = (block[start : start + width] for start in range(0, len(block), width))
            return [result for part in parts for result in self._held(part, width)]
        try:
            return list(self.run(block, width))
        except (MemoryError, RuntimeError) as error:
            if not _no_room(error):
                raise
        if torch.cuda.is_available():
            gc.collect()
            torch.cuda.empty_cache()
        if width == 1:
            return [self.hopeless(item) for item in block]
        self.room = width // 2
        return self._held(block, width)


def _no_room(error: BaseException) -> bool:
    """Whether there was no memory. torch.OutOfMemoryError is a RuntimeError."""
    told = str(error).lower()
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(words in told for words in NO_ROOM)
