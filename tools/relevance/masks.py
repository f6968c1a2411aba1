"""Masks of picture tokens: which tokens a region of pixels covers. Pure geometry."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from tools.methods.token_sets import cover
from tools.targets.adapter import Grid

SHARE = 0.25
"""Share of a token's box that counts as covered."""


def covered(
    region: Bool[np.ndarray, "height width"], grid: Grid, share: float = SHARE
) -> Bool[np.ndarray, "token"]:
    """The tokens of whose boxes the region covers at least the share; a box without pixels is not covered."""
    filled = cover(region, grid)
    return np.asarray((filled >= share) & (filled > 0))
