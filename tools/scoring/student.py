"""Student's t: how far a mean of few samples may lie from the truth.

Exact finite sums for whole degrees of freedom (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4).
"""

from __future__ import annotations

from functools import lru_cache
from math import atan, copysign, cos, pi, sin, sqrt
from statistics import NormalDist

_NORMAL_FROM = 2000
"""Degrees of freedom from which the normal distribution is closer than 1e-3 and takes over."""


def cumulative(t: float, df: int) -> float:
    """P(T ≤ t) with `df` ≥ 1 degrees of freedom. Raises ValueError below."""
    if df < 1:
        raise ValueError(f"Student's t needs at least one degree of freedom, got {df}")
    if df >= _NORMAL_FROM:
        return NormalDist().cdf(t)
    angle = atan(abs(t) / sqrt(df))
    odd = df % 2
    term, total = (cos(angle), 0.0) if odd else (1.0, 0.0)
    for power in range(1 + odd, df, 2):
        total += term
        term *= cos(angle) ** 2 * power / (power + 1)
    inside = 2 / pi * (angle + sin(angle) * total) if odd else sin(angle) * total
    return 0.5 + copysign(inside / 2, t)


@lru_cache(maxsize=4096)
def quantile(share: float, df: int) -> float:
    """The t below which T lies with probability `share` (0 < share < 1), to 1e-10."""
    if not 0 < share < 1:
        raise ValueError(f"a quantile's share lies between 0 and 1, got {share}")
    low, high = -1.0, 1.0
    while cumulative(high, df) < share:
        high *= 2
    while cumulative(low, df) > share:
        low *= 2
    while high - low > 1e-10 * max(1.0, abs(low)):
        middle = (low + high) / 2
        low, high = (middle, high) if cumulative(middle, df) < share else (low, middle)
    return (low + high) / 2


def two_sided(t: float, df: int) -> float:
    """P(|T| ≥ |t|)."""
    return 2 * cumulative(-abs(t), df)
