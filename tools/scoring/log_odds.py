"""Which words tell two piles of text apart: weighted log-odds with an informative Dirichlet prior.

Monroe, Colaresi and Quinn 2008, "Fightin' Words", eqs. 15, 16, 20 and 22. The prior is a background pile scaled to a
fixed strength: it pulls common words toward no difference, so that rare ones need evidence and frequent ones meaning.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

FLOOR = 0.01
"""Least pseudo-count of a word, for words that the background lacks."""


class LogOdds(NamedTuple):
    """Per word: difference of log-odds (nats; above 0: the first pile's) and the same in standard deviations."""

    delta: Float[np.ndarray, "word"]
    z: Float[np.ndarray, "word"]


def log_odds(
    first: ArrayLike,
    second: ArrayLike,
    background: ArrayLike,
    *,
    strength: float | None = None,
) -> LogOdds:
    """Compares counts (fractions are fine) of the same words in two piles.

    `strength` is the sum of the prior's pseudo-counts; by default the background's own size. Raises ValueError for
    negative counts, fewer than two words, or an empty background.
    """
    piles = [np.asarray(pile, dtype=np.float64) for pile in (first, second, background)]
    y1, y2, known = piles
    if min(pile.min(initial=0.0) for pile in piles) < 0 or known.sum() <= 0:
        raise ValueError("counts are not negative, and the background holds at least one word")
    if known.size < 2:
        raise ValueError("log-odds compare at least two words")
    prior = np.maximum(known * ((strength or known.sum()) / known.sum()), FLOOR)
    odds = [np.log(pile + prior) - np.log(pile.sum() + prior.sum() - pile - prior) for pile in (y1, y2)]
    delta = odds[0] - odds[1]
    return LogOdds(delta, delta / np.sqrt(1 / (y1 + prior) + 1 / (y2 + prior)))
