"""How often one of two things holds minus how often the other does, on the same items: interval and p.

Pure. The items on which only one of the two holds say it all; the interval is Tango's (1998, eq. 4 to 6), by the score,
which keeps a width where nothing differs, and its test at 0 is McNemar's.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import copysign, erfc, inf, sqrt
from typing import NamedTuple

from store.values import Estimate
from tools.scoring.contrast import Z95

STEPS = 60
"""Halvings in the search for a bound."""


class Discordant(NamedTuple):
    """Of `n` items, on how many only the first of two things holds, and on how many only the second."""

    first: int
    second: int
    n: int


def discordant(first: Sequence[bool], second: Sequence[bool]) -> Discordant:
    """The counts of two things that were looked at on the same items. Raises ValueError where they do not pair up."""
    both = list(zip(first, second, strict=True))
    return Discordant(
        sum(one and not other for one, other in both),
        sum(other and not one for one, other in both),
        len(both),
    )


def paired_difference(counts: Discordant) -> Estimate:
    """The share of the first minus that of the second, with its 95 % interval.

    Raises ValueError for no items, and for more discordant ones than there are.
    """
    first, second, n = counts
    if n < 1 or min(first, second) < 0 or first + second > n:
        raise ValueError(f"{first} and {second} discordant items of {n} are impossible")
    value = (first - second) / n
    return Estimate(value, _bound(counts, value, -1.0), _bound(counts, value, 1.0), n)


def paired_p(counts: Discordant) -> float:
    """Two-sided p of "both hold equally often": McNemar's, without a correction; 1 where they do."""
    return erfc(abs(_score(counts, 0.0)) / sqrt(2))


def _bound(counts: Discordant, value: float, end: float) -> float:
    """The difference farthest towards `end` that the items do not exclude."""
    inside, outside = value, end
    for _ in range(STEPS):
        middle = (inside + outside) / 2
        if abs(_score(counts, middle)) < Z95:
            inside = middle
        else:
            outside = middle
    return inside


def _score(counts: Discordant, supposed: float) -> float:
    """By how many standard errors the items differ from a supposed difference."""
    first, second, n = counts
    off = first - second - n * supposed
    b = -first - second + (2 * n - first + second) * supposed
    c = -second * supposed * (1 - supposed)
    only_second = (sqrt(max(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
    variance = n * (2 * only_second + supposed * (1 - supposed))
    if variance <= 0:
        return 0.0 if off == 0 else copysign(inf, off)
    return off / sqrt(variance)
