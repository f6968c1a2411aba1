"""A sum of shares with signs: a gap between two shares, a gap beyond another gap; with interval and p.

Pure. The interval joins those of the single shares, Wilson's, by the method of variance estimates recovery (Zou and
Donner 2008), which for two shares is Newcombe's (1998, method 10). Shares that were measured on the same pictures are
treated as independent: where they go together, as on pairs, the interval is too wide rather than too narrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, sqrt
from typing import NamedTuple

from store.values import Estimate

Z95 = 1.959963984540054
STEPS = 60
"""Halvings in the search for p."""
LARGEST = 12.0
"""Normal quantile beyond which no p is told apart."""


class Cell(NamedTuple):
    """`successes` of `n`, with the weight that the share has in the sum."""

    weight: float
    successes: int
    n: int


def contrast(cells: Sequence[Cell], z: float = Z95) -> Estimate:
    """Σ weight · share with its interval at the normal quantile `z` (95 % by default); `n`: of the smallest cell.

    Raises ValueError for no cells, and for one that is empty.
    """
    if not cells or any(cell.n < 1 or not 0 <= cell.successes <= cell.n for cell in cells):
        raise ValueError("a contrast needs cells with 0 <= successes <= n and n >= 1")
    value = down = up = 0.0
    for weight, successes, n in cells:
        share, (low, high) = successes / n, _wilson(successes / n, n, z)
        value += weight * share
        below, above = share - low, high - share
        down += (weight * (below if weight > 0 else above)) ** 2
        up += (weight * (above if weight > 0 else below)) ** 2
    return Estimate(value, value - sqrt(down), value + sqrt(up), min(cell.n for cell in cells))


def p_value(cells: Sequence[Cell]) -> float:
    """Two-sided p of "the contrast is 0": the level at which its interval ends there; 1 where it is 0."""
    value = contrast(cells).value
    if value == 0:
        return 1.0
    low, high = 0.0, LARGEST
    for _ in range(STEPS):
        z = (low + high) / 2
        found = contrast(cells, z)
        excluded = found.low > 0 if value > 0 else found.high < 0
        low, high = (z, high) if excluded else (low, z)
    return erfc(low / sqrt(2))


def _wilson(share: float, n: int, z: float) -> tuple[float, float]:
    """Wilson 1927 at the quantile `z`, kept inside [0, 1]."""
    scale = 1 + z**2 / n
    center = (share + z**2 / (2 * n)) / scale
    half = z * sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / scale
    return max(0.0, min(center - half, share)), min(1.0, max(center + half, share))
