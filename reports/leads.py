"""Phrases that split what a concept leaves open: short lists, found by the shape of their rows.

Knows rows of phrase, counts, effect and z; knows nothing about which tool gave them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from reports.fields import number_of, rows_of, text_of

COLUMNS = frozenset({"phrase", "n", "without", "effect", "z"})
LISTS: Mapping[str, str] = {
    "missed": "raise it where the concept fails",
    "sharper": "raise it further where the concept holds",
    "spoiled": "lower it where the concept holds",
}
"""Names of lists, and what their phrases do."""


class Lead(NamedTuple):
    """A phrase, how many pictures show it and how many do not, and how far their means lie apart, in sd."""

    phrase: str
    n: int
    without: int
    effect: float
    z: float

    @property
    def pictures(self) -> int:
        """All pictures that the phrase splits: the same for every phrase of a list."""
        return self.n + self.without


def leads(result: Mapping[str, Any]) -> dict[str, list[Lead]]:
    """Lists under their names, empty ones among them where another is not; empty where there are none."""
    found = {
        name: [_lead(row) for row in rows_of(told)]
        for name, told in result.items()
        if is_leads(told) or (name in LISTS and told == [])
    }
    return found if any(found.values()) else {}


def is_leads(told: Any) -> bool:
    """Whether a field is such a list."""
    rows = rows_of(told)
    return bool(rows) and all(set(row) == COLUMNS and _counted(row) for row in rows)


def _counted(row: Mapping[str, Any]) -> bool:
    return all(number_of(row[name]) is not None for name in COLUMNS - {"phrase"})


def _lead(row: Mapping[str, Any]) -> Lead:
    return Lead(
        text_of(row, "phrase"), int(row["n"]), int(row["without"]), float(row["effect"]), float(row["z"])
    )
