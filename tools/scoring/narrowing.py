"""Phrases that are narrowed: by a place in the picture, and by an exception ("star in the upper left", "moon except
dotted", "red thing except in the upper left").

An exception belongs to the one thing that a phrase speaks of: `moon except dotted` holds beside a dotted moon where
another moon is solid, `moon & !dotted moon` does not. Knows how such phrases are written; what the words mean is known
to judges alone.
"""

from __future__ import annotations

import re
from typing import NamedTuple

PLACES = ("upper left", "upper right", "lower left", "lower right")
"""Quarters of the picture, by the center of a thing."""
EXCEPT = " except "
"""What stands before an exception."""
_NARROWED = re.compile(
    rf"(?P<thing>.+?)(?: in the (?P<place>{'|'.join(PLACES)}))?(?:{EXCEPT}(?P<exception>.+))?"
)
_PLACE = re.compile(rf"in the ({'|'.join(PLACES)})")


class Narrowed(NamedTuple):
    """What a phrase speaks of, the place it must be in, and what is excepted; "" where nothing is said."""

    thing: str
    place: str = ""
    exception: str = ""

    @property
    def steps(self) -> int:
        """In how many ways the thing is narrowed: 0, 1 or 2."""
        return bool(self.place) + bool(self.exception)


def narrowed(phrase: str) -> Narrowed:
    """The parts of a phrase; one that is not narrowed is its own thing."""
    found = _NARROWED.fullmatch(phrase)
    return (
        Narrowed(phrase) if found is None else Narrowed(**{k: v or "" for k, v in found.groupdict().items()})
    )


def bare(phrase: str) -> str:
    """The phrase without its place and its exception."""
    return narrowed(phrase).thing


def place_in(words: str) -> str:
    """The place that "in the upper left" names; "" for other words."""
    found = _PLACE.fullmatch(words)
    return found[1] if found else ""


def without(phrase: str, exception: str) -> str:
    """The phrase with an exception: "moon", "dotted" → "moon except dotted"."""
    return f"{phrase}{EXCEPT}{exception}"
