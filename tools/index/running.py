"""What a build keeps while stimuli stream past: both tails, moments and firing, and its way to disk and back.

Knows how the parts travel together; knows nothing about models or pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int32

from tools.index.files import replacing
from tools.index.firing import Firing
from tools.index.moments import Moments
from tools.index.tails import Tail, Values

DEPTH = 24
"""Stimuli kept at each end of each pool."""


@dataclass
class Running:
    """`done` stimuli have been taken in. `low` and `silent` count the negated stream."""

    top: Tail
    low: Tail
    fires: Firing
    silent: Firing
    moments: Moments
    done: int = 0

    @classmethod
    def empty(cls, pools: int, components: int, depth: int = DEPTH) -> Running:
        return cls(
            Tail(pools, components, depth),
            Tail(pools, components, depth),
            Firing(pools, components),
            Firing(pools, components),
            Moments(pools, components),
        )

    def add(self, numbers: Int32[np.ndarray, "stimulus"], values: Values) -> None:
        """Takes in the next stimuli; their numbers exceed all earlier ones. What is infinite is counted, no value."""
        self.moments.broken += np.isinf(values).sum(axis=1)
        values = np.where(np.isinf(values), np.float32(np.nan), values)
        self.moments.add(values)
        self.top.add(numbers, values)
        self.fires.add(values)
        turned = -values
        self.low.add(numbers, turned)
        self.silent.add(turned)
        self.done += len(numbers)

    def save(self, path: Path) -> None:
        """Writes everything beside `path` and puts it in place at once."""
        arrays: dict[str, Any] = {"done": np.array(self.done), **self._arrays()}
        with replacing(path) as file:
            np.savez(file, **arrays)

    def restore(self, path: Path) -> None:
        """Becomes what `save` wrote."""
        with np.load(path) as saved:
            self.done = int(saved["done"])
            for name in self._arrays():
                part, _, attribute = name.partition("_")
                if name in saved:
                    setattr(getattr(self, part), attribute, saved[name])

    def _arrays(self) -> dict[str, np.ndarray]:
        kept: dict[str, tuple[str, ...]] = {"top": ("values", "numbers"), "low": ("values", "numbers")}
        kept |= {"fires": ("counts", "highest"), "silent": ("counts", "highest")}
        kept |= {"moments": ("count", "mean", "squares", "broken")}
        return {
            f"{part}_{attribute}": getattr(getattr(self, part), attribute)
            for part, attributes in kept.items()
            for attribute in attributes
        }
