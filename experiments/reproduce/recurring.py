"""Heads that recur over kinds of questions, beside how many would by chance; and how alike two sets of heads are.

Pure: knows sets of heads and the groups (layers) inside which chance may shuffle them, nothing about how they were
chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Int

SHUFFLES = 2000
Chosen = Bool[np.ndarray, "kind head"]


class Recurring(NamedTuple):
    """`heads` are chosen in at least `least` kinds. `expected` is the mean number when each kind's heads are drawn
    anew, `p` the share of such draws with as many; `layered` the same when they are drawn inside their layers."""

    heads: tuple[int, ...]
    least: int
    expected: float
    p: float
    layered_expected: float
    layered_p: float

    def as_json(self) -> dict[str, Any]:
        return {
            "least": self.least,
            "found": len(self.heads),
            "expected_by_chance": round(self.expected, 3),
            "p": round(self.p, 5),
            "expected_within_layers": round(self.layered_expected, 3),
            "p_within_layers": round(self.layered_p, 5),
        }


def recurring(chosen: Chosen, layers: Sequence[object], least: int, seed: int) -> Recurring:
    """Which heads are chosen in at least `least` kinds. `layers` says for each head where it lies."""
    found = np.flatnonzero(chosen.sum(axis=0) >= least)
    random = np.random.default_rng(seed)
    every = [np.arange(chosen.shape[1])]
    inside = [
        np.array([place for place, one in enumerate(layers) if one == layer])
        for layer in dict.fromkeys(layers)
    ]
    free, layered = (_shuffled(chosen, groups, least, random) for groups in (every, inside))
    return Recurring(
        tuple(map(int, found)),
        least,
        float(free.mean()),
        float((1 + (free >= len(found)).sum()) / (1 + SHUFFLES)),
        float(layered.mean()),
        float((1 + (layered >= len(found)).sum()) / (1 + SHUFFLES)),
    )


def _shuffled(
    chosen: Chosen, groups: Sequence[Int[np.ndarray, "member"]], least: int, random: np.random.Generator
) -> Int[np.ndarray, "draw"]:
    counts = np.zeros(SHUFFLES, dtype=np.int64)
    for group in groups:
        inside = chosen[:, group]
        tickets = random.random((SHUFFLES, *inside.shape)).argsort(axis=2)
        drawn = np.take_along_axis(np.broadcast_to(inside, tickets.shape), tickets, axis=2)
        counts += (drawn.sum(axis=1) >= least).sum(axis=1)
    return counts


def jaccard(first: frozenset[int], second: frozenset[int]) -> float:
    """Shared members over all members; 1 for two empty sets."""
    return len(first & second) / len(first | second) if first | second else 1.0
