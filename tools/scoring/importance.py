"""Importance sampling: which stimuli a judge that costs money or time is shown, and how many each of them stands for.

A stimulus is judged with a chance that grows with how far the component's value lies from its mean, beside a part that
is even over all stimuli, and counts 1 / chance times (Horvitz and Thompson 1952, eq. 7). Moments over such weights are
divided by their sum (Hájek 1971), so that a correlation over the sample is about the population's, however rare what a
component answers to is. Stimuli are drawn independently, each against a number of its own that is the same for all
components (Brewer, Early and Joyce 1972): what is judged for one serves the next, and the even part is one for all.
Pure functions; knows nothing about what a judge says.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from tools.scoring.correlation import standardized

EVEN = 0.5
"""Share of the wanted number that is spread evenly: no weight exceeds 1 / EVEN of what even draws would have."""
_OWN = 0x1A5E
"""Sets the draw of stimuli apart from others of the same seed."""


class Sample(NamedTuple):
    """Places of the stimuli that were drawn, in order, and the chance that each of them had."""

    rows: Int[np.ndarray, "drawn"]
    chance: Float[np.ndarray, "drawn"]

    @property
    def weights(self) -> Float[np.ndarray, "drawn"]:
        """How many stimuli of the population each one stands for."""
        return 1 / self.chance


def chances(
    values: Float[np.ndarray, "stimulus"], wanted: int, even: float = EVEN
) -> Float[np.ndarray, "stimulus"]:
    """Chance of each stimulus to be judged, in (0, 1]; they add up to `wanted`, or all are 1 where there are no more.

    A component without differences gives all the same chance. Raises ValueError for an `even` outside (0, 1]: a
    stimulus without a chance could not be stood for.
    """
    number = len(values)
    if not 0 < even <= 1 or wanted < 1:
        raise ValueError(f"a share of {even} even draws among {wanted} leaves stimuli without a chance")
    if wanted >= number:
        return np.ones(number)
    far = np.abs(standardized(values[:, None])[:, 0])
    if not far.any():
        return np.full(number, wanted / number)
    floor, sure = even * wanted / number, np.zeros(number, dtype=np.bool_)
    while True:
        left = wanted - sure.sum() - floor * (~sure).sum()
        rest = far[~sure].sum()
        found = np.where(sure, 1.0, floor + (left / rest * far if rest > 0 else 0.0))
        if not (found > 1).any():
            return found
        sure |= found >= 1


def draw(chance: Float[np.ndarray, "stimulus"], seed: int) -> Sample:
    """Each stimulus with its own chance, independently. Of one seed, whatever has a higher chance holds what had a
    lower one."""
    own = np.random.default_rng([_OWN, seed]).random(len(chance))
    rows = np.flatnonzero(own < chance)
    return Sample(rows, chance[rows])


def even_part(number: int, wanted: int, seed: int, even: float = EVEN) -> Sample:
    """What every component's sample of this seed and size holds, drawn evenly."""
    return draw(np.full(number, min(1.0, even * wanted / number)), seed)
