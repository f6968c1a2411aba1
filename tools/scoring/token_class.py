"""How well attention finds a class of tokens: AUPRC of the class against attention from a stated position.

Pure. A row is one query of one forward pass; rows of one picture are drawn together. Chance, which attention to no
token in particular reaches, is the share of tokens that are of the class. Knows nothing about which classes there are.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from store.values import Estimate
from tools.scoring.bootstrap import DRAWS, resampled, resamples
from tools.scoring.retrieval import average_precision


class Found(NamedTuple):
    """1 where attention ranks the class's tokens first. `auprc.n` counts pictures."""

    auprc: Estimate
    chance: float


def found(
    attention: Float[np.ndarray, "row token"],
    of_class: Bool[np.ndarray, "row token"],
    shown: Bool[np.ndarray, "row token"],
    *,
    groups: Sequence[Hashable] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Found:
    """AUPRC with its bootstrap interval; `shown` marks the tokens that there are, `groups[i]` the picture of row i.

    Raises ValueError where no token, or every one, is of the class, and on fewer than two pictures.
    """
    truth = of_class & shown
    chance = float(truth.sum() / max(shown.sum(), 1))
    if not 0 < chance < 1:
        raise ValueError("attention can be scored where some tokens are of the class, and some are not")
    drawn = resamples(groups if groups is not None else range(len(attention)), draws=draws, seed=seed)
    row = np.nonzero(shown)[0]
    values = average_precision(truth[shown], attention[shown].astype(np.float64), drawn.weights[:, row])
    return Found(resampled(values[:, None], drawn).estimates()[0], chance)


def value(
    attention: Float[np.ndarray, "row token"],
    of_class: Bool[np.ndarray, "row token"],
    shown: Bool[np.ndarray, "row token"],
) -> float:
    """The same AUPRC without an interval; 0 where no token is of the class."""
    scores = attention[shown].astype(np.float64)
    return float(average_precision(of_class[shown], scores, np.ones((1, len(scores))))[0])
