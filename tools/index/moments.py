"""Count, mean and standard deviation of a stream, for many components at once.

Parts are joined as in Chan, Golub & LeVeque 1983, so that no large sum of squares is ever taken from another.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64, Int64

from tools.index.tails import Values

PerComponent = Float64[np.ndarray, "pool component"]


class Moments:
    """`squares` is the sum of squared distances from `mean`; NaN counts as no value. `broken` counts the stimuli on
    which a component had no finite number."""

    def __init__(self, pools: int, components: int) -> None:
        self.count: Int64[np.ndarray, "pool component"] = np.zeros((pools, components), np.int64)
        self.mean: PerComponent = np.zeros((pools, components))
        self.squares: PerComponent = np.zeros((pools, components))
        self.broken: Int64[np.ndarray, "pool component"] = np.zeros((pools, components), np.int64)

    def add(self, values: Values) -> None:
        present = ~np.isnan(values)
        count = present.sum(axis=1)
        shares = np.maximum(count, 1)
        mean = np.where(present, values, 0).sum(axis=1, dtype=np.float64) / shares
        apart = np.where(present, values - mean[:, None].astype(np.float32), 0)
        squares = np.einsum("psc,psc->pc", apart, apart).astype(np.float64)
        total = self.count + count
        shift = np.where(count > 0, mean - self.mean, 0.0)
        share = count / np.maximum(total, 1)
        self.squares += squares + shift**2 * self.count * share
        self.mean += shift * share
        self.count = total

    @property
    def sd(self) -> Float32[np.ndarray, "pool component"]:
        """Standard deviation over all values (divided by their count); NaN where there was none."""
        with np.errstate(invalid="ignore"):
            deviation: Float32[np.ndarray, "pool component"]
            deviation = np.sqrt(self.squares / np.where(self.count > 0, self.count, np.nan)).astype(
                np.float32
            )
        return deviation
