"""When a phrase decides a concept: in `star & !dark background`, a star does where the background is not dark.

The Boolean derivative (Akers 1959): a concept changes with a phrase where its value with the phrase differs from its
value without. Tells under which condition a pair of pictures that differ in one phrase is a test of the whole concept.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from tools.scoring.concept import read
from tools.scoring.normal import canonical
from tools.scoring.tree import All, Any, Concept, Not, Phrase, Sum, parts_of


class Decides(NamedTuple):
    """Where `given` holds (everywhere if it is empty), adding the phrase makes the concept true (+1) or untrue (−1)."""

    given: str
    sign: Literal[1, -1]


def decides(concept: Concept | str, phrase: str) -> Decides | None:
    """None where the phrase decides nothing, or now this way and now that (as in an exclusive or). In a sum a phrase
    decides as it does in its own part."""
    whole = read(concept) if isinstance(concept, str) else concept
    if isinstance(whole, Sum):
        return next((one for part in whole.of if (one := decides(part.of, phrase))), None)
    rises, falls = _rises(whole, phrase), _falls(whole, phrase)
    if rises == falls:
        return None
    with_, without = _with(whole, phrase, True), _with(whole, phrase, False)
    found = _both(with_, _not(without)) if rises else _both(without, _not(with_))
    if found is False:
        return None
    return Decides("" if found is True else canonical(found), 1 if rises else -1)


def _with(concept: Concept, phrase: str, value: bool) -> Concept | bool:
    """The concept where it is known whether the phrase holds."""
    match concept:
        case Phrase(words):
            return value if words == phrase else concept
        case Not(part):
            return _not(_with(part, phrase, value))
        case All(parts):
            found: Concept | bool = True
            for part in parts:
                found = _both(found, _with(part, phrase, value))
            return found
        case Any(parts):
            found = True
            for part in parts:
                found = _both(found, _not(_with(part, phrase, value)))
            return _not(found)
        case Sum():
            raise ValueError("a sum in a combination is neither true nor false")


def _not(one: Concept | bool) -> Concept | bool:
    if isinstance(one, bool):
        return not one
    match one:
        case Not(part):
            return part
        case All(parts) if all(isinstance(part, Not) for part in parts):
            return Any(tuple(part.of for part in parts if isinstance(part, Not)))
        case Any(parts):
            return All(tuple(Not(part) for part in parts))
    return Not(one)


def _both(one: Concept | bool, other: Concept | bool) -> Concept | bool:
    if isinstance(one, bool):
        return other if one else False
    if isinstance(other, bool):
        return one if other else False
    parts = dict.fromkeys([*_parts(one), *_parts(other)])
    if any(_not(part) in parts for part in parts):
        return False
    return All(tuple(parts)) if len(parts) > 1 else one


def _parts(concept: Concept) -> tuple[Concept, ...]:
    return concept.of if isinstance(concept, All) else (concept,)


def _rises(concept: Concept, phrase: str, up: bool = True) -> bool:
    """Whether the phrase stands somewhere under an even number of negations."""
    match concept:
        case Phrase(words):
            return up and words == phrase
        case Not(part):
            return _rises(part, phrase, not up)
        case _:
            return any(_rises(part, phrase, up) for part in parts_of(concept))


def _falls(concept: Concept, phrase: str) -> bool:
    return _rises(concept, phrase, False)
