"""Bootstrap of whole scenes by matrices of weights: thousands of components share one set of resamples.

A resample is a row of weights (how often it has each stimulus), so a metric of many components over many resamples is
a few matrix products, and two metrics under the same rows are paired. Percentile intervals (Efron 1979); stimuli of one
group are drawn together. Knows nothing about what a metric measures.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from store.values import Estimate

DRAWS = 1000


@dataclass(frozen=True, eq=False)
class Resamples:
    """`weights[0]` is the sample itself (all ones), the other rows are resamples; `groups` counts what is drawn."""

    weights: Float[np.ndarray, "row stimulus"]
    groups: int

    def standing_for(self, counts: Float[np.ndarray, "stimulus"]) -> Resamples:
        """The same draws where each stimulus stands for so many of the population (importance.py)."""
        return Resamples(self.weights * counts, self.groups)


def resamples(groups: Sequence[Hashable], *, draws: int = DRAWS, seed: int = 0) -> Resamples:
    """Weights of `draws` resamples of groups; `groups[i]` is what stimulus i belongs to.

    Raises ValueError on fewer than two groups: one scene says nothing about others.
    """
    index = {group: place for place, group in enumerate(dict.fromkeys(groups))}
    number = len(index)
    if number < 2:
        raise ValueError(f"an interval needs at least two independent samples, got {number}")
    member = np.array([index[group] for group in groups], dtype=np.intp)
    drawn = np.random.default_rng(seed).integers(number, size=(draws, number))
    drawn += number * np.arange(draws)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=draws * number).reshape(draws, number)
    ones = np.ones((1, len(member)))
    return Resamples(np.concatenate([ones, counts[:, member].astype(np.float64)]), number)


@dataclass(frozen=True, eq=False)
class Resampled:
    """A metric of many components: on the sample, and on every resample."""

    value: Float[np.ndarray, "component"]
    draws: Float[np.ndarray, "draw component"]
    n: int

    def __sub__(self, other: Resampled) -> Resampled:
        """The paired difference; both must come from the same resamples."""
        return Resampled(self.value - other.value, self.draws - other.draws, self.n)

    def estimates(self, level: float = 0.95) -> list[Estimate]:
        """Each component's value with its percentile interval, which is widened to hold the value."""
        tail = (1 - level) / 2
        low, high = np.quantile(self.draws, [tail, 1 - tail], axis=0)
        low, high = np.minimum(low, self.value), np.maximum(high, self.value)
        return [
            Estimate(float(v), float(a), float(b), self.n)
            for v, a, b in zip(self.value, low, high, strict=True)
        ]

    def p_values(self) -> Float[np.ndarray, "component"]:
        """Two-sided p of "the value is 0", from the share of draws on the other side; never 0."""
        number = len(self.draws)
        below, above = (self.draws <= 0).sum(axis=0), (self.draws >= 0).sum(axis=0)
        return np.minimum(2 * (np.minimum(below, above) + 1) / (number + 1), 1.0)


def resampled(rows: Float[np.ndarray, "row component"], drawn: Resamples) -> Resampled:
    """What a metric gave under `drawn.weights`."""
    return Resampled(rows[0], rows[1:], drawn.groups)
