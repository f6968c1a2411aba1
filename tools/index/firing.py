"""Firing: how often a component comes near the largest value it has shown, counted exactly in one pass.

A component *fires* on a stimulus when its pooled value is positive and at most FIRES steps below the step that the
largest value lies on, on a fixed ladder of four steps an octave: above about a third of the maximum (0.30 to 0.35 of
it). Zero is the natural floor of what is counted: GELU units rest at or just below it, SiLU·up units around it, norms
of heads start from it (a head that writes everywhere fires everywhere). A third is where the units of the embedded
model that tell one concept from all others best divide pictures with it from pictures without it (medians: color and
shape 0.4, fill 0.3 of the maximum of 768 pictures); a tenth lies inside the noise of most units' maximum over a
picture's tokens. The maximum is not known before the end, but it only ever rises, so counts on the steps from there up
to it are all that must be kept; the ladder is fixed, so the order of the stimuli does not matter. The low end is
counted on the negated stream.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int32

from tools.index.tails import Values

STEPS = 4
"""Steps an octave."""
FIRES = 6
"""A value fires down to this many steps below the maximum's."""
_BELOW_ALL = np.iinfo(np.int16).min


class Firing:
    """Counts on the ladder's steps, from the lowest one that fires (place 0) up to the maximum's (place FIRES)."""

    def __init__(self, pools: int, components: int) -> None:
        self.counts: Int32[np.ndarray, "place pool component"]
        self.counts = np.zeros((FIRES + 1, pools, components), np.int32)
        self.highest: Int32[np.ndarray, "pool component"]
        self.highest = np.full((pools, components), _BELOW_ALL, np.int32)

    def add(self, values: Values) -> None:
        """Takes in more stimuli; NaN and values that are not positive never fire."""
        with np.errstate(invalid="ignore", divide="ignore"):
            steps = np.floor(np.log2(values) * STEPS)
        steps = np.where(values > 0, steps, _BELOW_ALL).astype(np.int16)
        self._raise_to(np.maximum(self.highest, steps.max(axis=1)))
        lowest = (self.highest - FIRES)[:, None]
        for place in range(FIRES + 1):
            self.counts[place] += (steps == lowest + place).sum(axis=1)
        # Components that have shown nothing positive yet count nothing.
        self.counts[:, self.highest == _BELOW_ALL] = 0

    def rate(self, count: Int32[np.ndarray, "pool component"]) -> Float64[np.ndarray, "pool component"]:
        """Share of `count` values that fired; NaN where there was no value."""
        with np.errstate(invalid="ignore", divide="ignore"):
            share: Float64[np.ndarray, "pool component"] = self.counts.sum(axis=0) / count
        return share

    def _raise_to(self, highest: Int32[np.ndarray, "pool component"]) -> None:
        """Moves the window of counted steps up to a new maximum; what falls out below no longer fires."""
        pool, component = np.nonzero(highest > self.highest)
        risen = (highest - self.highest)[pool, component]
        places = np.arange(FIRES + 1)[:, None] + risen
        kept = np.take_along_axis(self.counts[:, pool, component], np.minimum(places, FIRES), axis=0)
        self.counts[:, pool, component] = np.where(places <= FIRES, kept, 0)
        self.highest = highest
