"""What the index knows of one component: both ends of every pool, moments, firing, and its values on the sample.

Knows readings (which end of which pool is meant); knows nothing about files or pictures: a stimulus is a number in
the image source that the index was made from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int32, Int64

from store.address import Address
from store.records import Reading
from tools.pools import side_of


class Exemplar(NamedTuple):
    """A stimulus by its number in the image source, and the component's value there."""

    stimulus: int
    value: float


class Histogram(NamedTuple):
    """Counts between consecutive `edges`, of values in the component's own unit."""

    counts: Int64[np.ndarray, "bin"]
    edges: Float64[np.ndarray, "edge"]


@dataclass(frozen=True, eq=False)
class Pooled:
    """One pool, or one side of it. `top` and `bottom` hold up to 24 stimuli, most extreme first; `n` counts the
    stimuli that had a value, `sd` divides by it. `fires` and `fires_low` are the shares of stimuli beyond a third of
    the largest and of the smallest value (tools/index/firing.py). All NaN and empty where the pool has no tokens; `n`
    is negative, minus their number, where there were stimuli on which the component had no finite number."""

    top: tuple[Exemplar, ...]
    bottom: tuple[Exemplar, ...]
    n: int
    mean: float
    sd: float
    fires: float
    fires_low: float
    sample_numbers: Int32[np.ndarray, "place"]
    sample: Float32[np.ndarray, "place"]

    @property
    def known(self) -> bool:
        """Whether the pool has tokens in this component's tower."""
        return self.n > 0

    @property
    def broken(self) -> int:
        """On how many stimuli the component had no finite number: what else is known of it counts for nothing."""
        return max(0, -self.n)

    def histogram(self, bins: int = 40) -> Histogram:
        """How the values on the sample are spread, from the smallest to the largest value of the whole stream."""
        values = self.sample[~np.isnan(self.sample)]
        if not self.known or not len(values):
            return Histogram(np.zeros(bins, np.int64), np.linspace(0, 1, bins + 1))
        ends = (min(values.min(), self.bottom[0].value), max(values.max(), self.top[0].value))
        counts, edges = np.histogram(values, bins, ends)
        return Histogram(counts.astype(np.int64), edges)

    def around(self, quantile: float, k: int) -> tuple[Exemplar, ...]:
        """`k` stimuli of the sample nearest to a quantile (0 the smallest values, 1 the largest), ascending."""
        order = np.argsort(self.sample, kind="stable")[: int(np.count_nonzero(~np.isnan(self.sample)))]
        first = int(np.clip(round(quantile * len(order) - k / 2), 0, max(len(order) - k, 0)))
        return tuple(
            Exemplar(int(self.sample_numbers[i]), float(self.sample[i])) for i in order[first : first + k]
        )

    def turned(self) -> Pooled:
        """The same with every value's sign changed: the low end becomes the high end."""
        return Pooled(
            top=tuple(Exemplar(s, -v) for s, v in self.bottom),
            bottom=tuple(Exemplar(s, -v) for s, v in self.top),
            n=self.n,
            mean=-self.mean,
            sd=self.sd,
            fires=self.fires_low,
            fires_low=self.fires,
            sample_numbers=self.sample_numbers,
            sample=-self.sample,
        )


@dataclass(frozen=True, eq=False)
class Entry:
    """One component. `dead`: over all stimuli no pool of it varies by as much as a hundredth of what is usual among
    the components of its site (a constant one is dead too: nothing shown moves it)."""

    address: Address
    pools: Mapping[str, Pooled]
    dead: bool

    def side(self, reading: Reading) -> Pooled:
        """What a reading means, turned so that larger always means more of it."""
        chosen = side_of(reading)
        pool = self.pools[chosen.pool]
        return pool if chosen.sign > 0 else pool.turned()

    def exemplars(self, reading: Reading, k: int = 15) -> tuple[Exemplar, ...]:
        """The stimuli that a reading's end is made of, strongest first, valued as `side` values them."""
        return self.side(reading).top[:k]

    @property
    def readings(self) -> tuple[Reading, ...]:
        """Both ends over every scope in which the component has values."""
        scopes = {"visual": "visual.max", "question": "question.max", "answer": "answer"}
        return tuple(
            Reading(sign=sign, scope=scope)  # type: ignore[arg-type]  # the keys are the scopes
            for scope, pool in scopes.items()
            if self.pools[pool].known
            for sign in ("+", "-")
        )
