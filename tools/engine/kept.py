"""A shelf for what took time to make, as far as the bytes go.

What was asked for longest ago goes first. Knows sizes; knows nothing about what the things are for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from torch import Tensor

from tools.targets.batch import Batch

Thing = Batch | Tensor | tuple[Tensor, ...]
V = TypeVar("V", bound=Thing)


class Kept:
    """Holds at most `limit` bytes, and the latest thing that was asked for whatever its size. `bytes` are held now."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.bytes = 0
        self._things: OrderedDict[Hashable, Thing] = OrderedDict()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._things

    def __getitem__(self, key: Hashable) -> Thing:
        """Raises KeyError where nothing is kept under the key."""
        self._things.move_to_end(key)
        return self._things[key]

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """What is kept under the key, made now where nothing is."""
        if key not in self._things:
            self._things[key] = made = make()
            self.bytes += _size(made)
        found = self[key]
        while len(self._things) > 1 and self.bytes > self.limit:
            self.bytes -= _size(self._things.popitem(last=False)[1])
        return cast(V, found)


def _size(thing: Thing) -> int:
    if isinstance(thing, Tensor):
        return thing.nbytes
    return sum(tensor.nbytes for tensor in (thing if isinstance(thing, tuple) else thing.inputs.values()))
