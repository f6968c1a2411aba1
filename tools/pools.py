"""Pools: how a component's activations at many tokens become one number for a stimulus.

Knows the names of the pools, which tokens each of them covers, and which one a reading means. Knows nothing about
models or where the numbers come from.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32

from store.records import Reading

POOLS = ("visual.max", "visual.min", "visual.mean", "question.max", "question.min", "answer")
"""A pool of a scope without tokens (a vision component has no question) gives NaN."""


class Side(NamedTuple):
    """A pool, and the factor (1 or −1) after which larger always means more of what is meant."""

    pool: str
    sign: int

    @property
    def row(self) -> int:
        """Where the pool stands in POOLS."""
        return POOLS.index(self.pool)


def side_of(reading: Reading) -> Side:
    """The pool of a reading: the maximum for `+`, the minimum turned over for `-`, at the answer the value itself."""
    sign = 1 if reading.sign == "+" else -1
    if reading.scope == "answer":
        return Side("answer", sign)
    return Side(f"{reading.scope}.{'max' if sign > 0 else 'min'}", sign)


def side(
    pooled: Float32[np.ndarray, "pool stimulus component"], reading: Reading
) -> Float32[np.ndarray, "stimulus component"]:
    """The values that a reading means, turned so that larger always means more."""
    chosen = side_of(reading)
    values: Float32[np.ndarray, "stimulus component"] = pooled[chosen.row] * np.float32(chosen.sign)
    return values


def turned(values: Float[np.ndarray, "*any"], reading: Reading) -> Float[np.ndarray, "*any"]:
    """Activations (a map, say) with the sign that the reading gives them."""
    return -values if reading.sign == "-" else values
