"""The largest values of a stream, for many components at once, in memory that does not grow with the stream.

Knows values and stimulus numbers; knows nothing about what they measure. The low end is the high end of the negated
stream.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int32

Values = Float32[np.ndarray, "pool stimulus component"]

NOBODY = -1
"""Number of a place that no stimulus has taken yet; its value is −inf."""


class Tail:
    """The `depth` largest values seen, largest first; among equals the earlier stimulus stands first."""

    def __init__(self, pools: int, components: int, depth: int) -> None:
        self.values: Float32[np.ndarray, "pool component depth"]
        self.values = np.full((pools, components, depth), -np.inf, np.float32)
        self.numbers: Int32[np.ndarray, "pool component depth"]
        self.numbers = np.full((pools, components, depth), NOBODY, np.int32)

    def add(self, numbers: Int32[np.ndarray, "stimulus"], values: Values) -> None:
        """Takes in the next stimuli, whose numbers must exceed all earlier ones. NaN stands for no value."""
        given = np.where(np.isnan(values), -np.inf, values)
        # Later values that only equal the last place come after it, so most of a long stream touches nothing.
        pool, component = np.nonzero(given.max(axis=1) > self.values[..., -1])
        fresh = given[pool, :, component]
        joined = np.concatenate([self.values[pool, component], fresh], axis=1)
        named = np.concatenate(
            [self.numbers[pool, component], np.broadcast_to(numbers, fresh.shape).astype(np.int32)], axis=1
        )
        order = np.argsort(-joined, axis=1, kind="stable")[:, : self.values.shape[-1]]
        self.values[pool, component] = np.take_along_axis(joined, order, axis=1)
        self.numbers[pool, component] = np.take_along_axis(named, order, axis=1)
