"""An index that is made, or read from its files, when something is first asked of it.

For work that hardly ever asks: making one is a pass over all pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from store.address import Address
from tools.index.exemplars import Arrays, ExemplarIndex
from tools.index.manifest import Manifest


class LaterIndex(ExemplarIndex):
    """Stands for what `make` gives."""

    def __init__(self, make: Callable[[], ExemplarIndex]) -> None:
        object.__setattr__(self, "_make", make)

    @cached_property
    def made(self) -> ExemplarIndex:
        make: Callable[[], ExemplarIndex] = self.__dict__["_make"]
        return make()

    @cached_property
    def manifest(self) -> Manifest:
        return self.made.manifest

    @cached_property
    def components(self) -> tuple[Address, ...]:
        return self.made.components

    @cached_property
    def arrays(self) -> Arrays:
        return self.made.arrays

    @property
    def broken(self) -> frozenset[Address]:
        """Asking this does not make it."""
        return self.made.broken if "made" in self.__dict__ else frozenset()
