"""Fields of results that nobody promised: read as what they are, or as nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from store.records import Interval

MOST_IN_CELL = 8
"""Entries of a list that still fit into a cell."""


def interval_of(told: Any) -> Interval | None:
    """Two numbers."""
    if isinstance(told, (list, tuple)) and len(told) == 2 and all(number_of(end) is not None for end in told):
        return float(told[0]), float(told[1])
    return None


def rows_of(told: Any) -> list[Mapping[str, Any]]:
    """A list of rows; what is no row in it is left out."""
    return [row for row in told if isinstance(row, Mapping)] if isinstance(told, (list, tuple)) else []


def text_of(row: Mapping[str, Any], name: str) -> str:
    return str(row.get(name) or "")


def number_of(told: Any) -> float | None:
    return float(told) if isinstance(told, (int, float)) and not isinstance(told, bool) else None


def is_simple(told: Any) -> bool:
    """Whether a value fits into a cell."""
    if isinstance(told, (list, tuple)):
        return len(told) <= MOST_IN_CELL and all(isinstance(one, (str, int, float)) for one in told)
    return told is None or isinstance(told, (str, int, float, bool))
