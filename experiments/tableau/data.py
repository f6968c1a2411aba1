"""The data sets of tableau by name: which scenes each holds. No two of them share a scene.

Knows distributions, streams and sizes; scene `number` of a split is always the same. Knows nothing about questions
(balanced.py). Streams 7 (train/judge.py) and 11 (inside/units.py) are taken elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Literal, NamedTuple, get_args

from experiments.tableau.sampler import Distribution, sample
from experiments.tableau.scene import Scene

Split = Literal["world-train", "train", "select", "test", "check", "heldout", "regular"]
SPLITS: tuple[Split, ...] = get_args(Split)
INSTRUCTIONS = 5
"""The training stage (train/llava.py) whose seeds `world-train` has: scene i is seeded with (5 << 40) + i."""


class Source(NamedTuple):
    """Where a split's scenes come from. `size` is None where a split goes on for as long as scenes are drawn."""

    distribution: Distribution
    stream: int
    size: int | None = None
    first: int = 0


SOURCES: dict[Split, Source] = {
    "world-train": Source("regular", 0, first=INSTRUCTIONS << 40),
    "train": Source("balanced", 1, 1500),
    "select": Source("balanced", 2, 500),
    "test": Source("balanced", 3, 1000),
    "check": Source("balanced", 4),
    "heldout": Source("heldout", 5),
    "regular": Source("regular", 6),
}
"""`world-train` is where the models were trained (about two in three of its scenes stood in a batch of pictures, the
other steps drew something else); `train`, `select` and `test` are what an agent sees, may ask about and is judged on;
`check`, `heldout` and `regular` are fresh for every seed."""
FRESH: tuple[Split, ...] = ("check", "heldout", "regular")


def scene(split: Split, number: int, seed: int = 0) -> Scene:
    """Scene `number` of a split; `seed` means something for FRESH splits only.

    Raises ValueError for a seed other than 0 elsewhere: those splits are what they are.
    """
    if seed and split not in FRESH:
        raise ValueError(f"`{split}` has no seeds; those that have are {', '.join(FRESH)}")
    source = SOURCES[split]
    return sample(source.first + (seed << 40) + number, source.distribution, source.stream)


def scenes(split: Split, n: int | None = None, seed: int = 0) -> Iterator[Scene]:
    """The first `n` scenes of a split; its own size when `n` is None, and without end where it has none.

    More than its size may be drawn: the first ones stay the same.
    """
    size = SOURCES[split].size if n is None else n
    return (scene(split, number, seed) for number in (count() if size is None else range(size)))
