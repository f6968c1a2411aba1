"""Arithmetic that programs are given: this file is read by the interpreter before the program, in the same sandbox.

Written in the Python that the interpreter knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean. Raises ValueError for no values."""
    if not values:
        raise ValueError("mean of no values")
    return sum(values) / len(values)


def std(values: Sequence[float]) -> float:
    """The sample's standard deviation (n − 1). Raises ValueError for fewer than two values."""
    if len(values) < 2:
        raise ValueError("std needs two values")
    center = mean(values)
    return (sum((value - center) ** 2 for value in values) / (len(values) - 1)) ** 0.5


def median(values: Sequence[float]) -> float:
    """The value in the middle, or the mean of the two that are. Raises ValueError for no values."""
    if not values:
        raise ValueError("median of no values")
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def ranked(scores: Mapping[str, float]) -> list[tuple[str, float]]:
    """Names with their scores, highest first; equal ones in the order in which they came."""
    return sorted(scores.items(), key=lambda pair: -pair[1])
