"""Masks of picture tokens: which tokens a region of pixels covers. Pure geometry."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from tools.targets.adapter import Grid

SHARE = 0.25
"""Share of a token's box that counts as covered."""


def covered(
    region: Bool[np.ndarray, "height width"], grid: Grid, share: float = SHARE
) -> Bool[np.ndarray, "token"]:
    """The tokens of whose boxes the region covers at least the share; a box without pixels is not covered."""
    sums = np.pad(region.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    left, top, right, bottom = grid.boxes.round().astype(int).T
    inside = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    size = (right - left) * (bottom - top)
    return (size > 0) & (inside >= share * size)
