"""A concept as a value: phrases, and what joins them.

Knows the five forms and nothing else: how they are written is grammar.py's business, how present they are concept.py's,
which of them say the same normal.py's, how they are told in English plain.py's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Phrase:
    """What a judge is asked, word for word, in small letters."""

    words: str


@dataclass(frozen=True, slots=True)
class Not:
    of: Concept


@dataclass(frozen=True, slots=True)
class All:
    """All parts hold somewhere in the picture, not necessarily of the same thing."""

    of: tuple[Concept, ...]


@dataclass(frozen=True, slots=True)
class Any:
    of: tuple[Concept, ...]


class Weighted(NamedTuple):
    """A part of a sum; `weight` is above 0, and exact so that two ways to write it are one."""

    weight: Fraction
    of: Concept


@dataclass(frozen=True, slots=True)
class Sum:
    """Parts that matter by their weights, which are relative to each other."""

    of: tuple[Weighted, ...]

    @property
    def shares(self) -> tuple[Weighted, ...]:
        """The parts with weights that add up to 1."""
        whole = sum((part.weight for part in self.of), Fraction(0))
        return tuple(Weighted(part.weight / whole, part.of) for part in self.of)


Concept = Phrase | Not | All | Any | Sum


class Occurrence(NamedTuple):
    """A phrase where it stands in a concept, and whether an even number of `!` stands before it."""

    words: str
    positive: bool


def occurrences(concept: Concept, positive: bool = True) -> Iterator[Occurrence]:
    """Every phrase of the concept as often as it stands there, in order."""
    match concept:
        case Phrase(words):
            yield Occurrence(words, positive)
        case Not(part):
            yield from occurrences(part, not positive)
        case _:
            for part in parts_of(concept):
                yield from occurrences(part, positive)


def parts_of(concept: Concept) -> tuple[Concept, ...]:
    """What the concept joins; nothing for a phrase."""
    match concept:
        case Phrase():
            return ()
        case Not(part):
            return (part,)
        case Sum(weighted):
            return tuple(part.of for part in weighted)
        case All(parts) | Any(parts):
            return parts


def graded(concept: Concept) -> bool:
    """Whether a sum is in it, so that it may hold by halves even where a judge is sure of every phrase."""
    return isinstance(concept, Sum) or any(map(graded, parts_of(concept)))
