"""Statements about a whole scene: how many things there are, how two of them lie, and what the sign says.

"two stars" (that many and no more), "at least two red things", "a star left of a moon", "the sign says red", "a sign";
whatever else is said is a concept of one thing or of the background (concepts.py). For judges that know the scene:
the planner's judge reads concepts alone and refuses these. Relations are those of the questions, with their margin.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

from experiments.tableau import concepts
from experiments.tableau.concepts import Concept, read_concept
from experiments.tableau.questions import RELATIONS, Relation, Unanswerable
from experiments.tableau.questions import holds as lies
from experiments.tableau.scene import COLORS, SHAPES, Scene, Thing
from store.errors import UserError

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
MANY = 99
"""More things than any scene has."""
_NUMBER = rf"(?P<number>{'|'.join(NUMBERS)}|\d\d?)"
_COUNT = re.compile(rf"(?:(?P<bound>exactly|at least|at most|more than|fewer than) )?{_NUMBER} (?P<thing>.+)")
_PLACED = re.compile(
    rf"(?P<first>.+?) (?:that )?(?:is |lies )?(?:to the )?(?P<relation>{'|'.join(RELATIONS)}) (?P<second>.+)"
)
_SIGN = re.compile(r"(?:(?:the |a )?sign (?:that )?says (?:the word )?(?P<word>.+)|(?:the |a )?sign)")

FORMS = (_COUNT.pattern, _PLACED.pattern, _SIGN.pattern)
"""What is understood, for those who must tell one reading from another."""


@dataclass(frozen=True, slots=True)
class Counted:
    """No fewer than `least` and no more than `most` things are so."""

    thing: Concept
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Placed:
    """Some thing that is `first` lies in the relation to another one that is `second`."""

    first: Concept
    relation: Relation
    second: Concept


@dataclass(frozen=True, slots=True)
class Signed:
    """There is a sign, and it bears the word, if one is named."""

    word: str | None


Statement = Concept | Counted | Placed | Signed


@lru_cache(maxsize=4096)
def read_statement(text: str) -> Statement:
    """What the text says of a scene. Raises UserError of kind "unknown_phrase" for words that are not understood."""
    said = " ".join(text.lower().split())
    if found := _SIGN.fullmatch(said):
        return _signed(found["word"], text)
    if found := _PLACED.fullmatch(said):
        relation = next(one for one in RELATIONS if one == found["relation"])
        return Placed(_of_things(found["first"], text), relation, _of_things(found["second"], text))
    if found := _COUNT.fullmatch(said):
        number = found["number"]
        count = int(number) if number.isdigit() else NUMBERS.index(number)
        return Counted(_of_things(found["thing"], text), *_bounds(found["bound"], count))
    return read_concept(text)


def holds(statement: Statement, scene: Scene) -> bool:
    """Whether the scene is as the statement says."""
    match statement:
        case Counted(thing, least, most):
            return least <= sum(map(thing.matches, scene.things)) <= most
        case Placed(first, relation, second):
            return any(
                first.matches(one) and second.matches(other) and _lies(relation, one, other)
                for one, other in permutations(scene.things, 2)
            )
        case Signed(word):
            return scene.sign is not None and word in (None, scene.sign.word)
        case _:
            return concepts.holds(statement, scene)


def _lies(relation: Relation, one: Thing, other: Thing) -> bool:
    """Things that are level lie in no relation."""
    with suppress(Unanswerable):
        return lies(relation, one, other)
    return False


def _bounds(bound: str | None, count: int) -> tuple[int, int]:
    match bound:
        case "at least":
            return count, MANY
        case "at most":
            return 0, count
        case "more than":
            return count + 1, MANY
        case "fewer than":
            return 0, count - 1
        case _:
            return count, count


def _of_things(words: str, text: str) -> Concept:
    concept = read_concept(words)
    if concept.background is not None:
        raise _refusal(
            f"`{text}` counts or places a background.",
            "A picture has one background; name things, as in `two stars`.",
        )
    return concept


def _signed(word: str | None, text: str) -> Signed:
    plain = None if word is None else word.strip("“”\"'")
    if plain is not None and plain not in (*COLORS, *SHAPES):
        raise _refusal(
            f"`{plain}` in `{text}` stands on no sign.", "Signs bear the name of a color or a shape."
        )
    return Signed(plain)


def _refusal(message: str, hint: str) -> UserError:
    return UserError(message, kind="unknown_phrase", hint=hint)
