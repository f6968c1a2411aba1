"""Whether what was said is what is true: concepts compared by meaning, not by letters.

Two concepts are the same when they join the same meanings in the same way, in whatever order and words ("red thing",
"crimson" and "a red thing" mean one thing). Recall and precision count the phrases of combinations, each with its sign:
to say that stars matter is not to say that they are ruled out.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import fields, is_dataclass
from typing import NamedTuple

from experiments.tableau.statements import read_statement
from store.errors import UserError
from tools.scoring.concept import read
from tools.scoring.narrowing import EXCEPT
from tools.scoring.normal import normal, renamed
from tools.scoring.tree import All, Concept, occurrences, parts_of


class Match(NamedTuple):
    """Of one unit: the very concept; the share of its phrases that were named; the share of named ones that are its."""

    exact: bool
    recall: float
    precision: float


NOTHING_SAID = Match(exact=False, recall=0.0, precision=0.0)


def match(said: str, true: str) -> Match:
    """How what was said compares with the truth; nothing said counts as 0, and so does what can't be read."""
    if not _readable(said):
        return NOTHING_SAID
    return _counted(said, true, exact=canonical(said) == canonical(true))


def match_both(said: str, true: str) -> Match:
    """The same where two concepts count for themselves, with whatever weights: to join them as alternatives or in a sum
    is exact, to say that they must come together is not."""
    if not _readable(said):
        return NOTHING_SAID
    return _counted(said, true, exact=named(said) == named(true) and not _together(read(said)))


def match_counted(said: str, true: str, thing: str) -> Match:
    """The same for a number of things: those who name the thing without the number have named it."""
    whole = match(said, true)
    return whole if whole.exact else match(said, thing)._replace(exact=False)


def match_beside(said: str, true: str) -> Match:
    """The same for what is said beside its exceptions: what is ruled out is left aside (exceptions.py)."""
    if not _readable(said):
        return NOTHING_SAID
    tree = renamed(read(said), _unexcepted)
    kept = [part for part in tree.of if named(part, False) == set()] if isinstance(tree, All) else [tree]
    rest = kept[0] if len(kept) == 1 else All(tuple(kept)) if kept else tree
    return _counted(rest, true, exact=canonical(rest) == canonical(true))


def canonical(concept: Concept | str) -> Hashable:
    """The same value for concepts that join the same meanings in the same way."""
    return normal(renamed(read(concept) if isinstance(concept, str) else concept, meaning))


def meaning(phrase: str) -> str:
    """What a phrase says of pictures, the same for all words that say it; of questions and answers, and of unknown
    words, the words themselves."""
    try:
        return _told(read_statement(phrase))
    except UserError:
        return " ".join(phrase.lower().split())


def _told(value: object) -> str:
    """Equal for equal values: sets have no order."""
    if is_dataclass(value) and not isinstance(value, type):
        return f"({'; '.join(f'{one.name} {_told(getattr(value, one.name))}' for one in fields(value))})"
    return " ".join(sorted(map(str, value))) if isinstance(value, frozenset) else str(value)


def named(concept: Concept | str, positive: bool | None = None) -> set[Hashable]:
    """The meanings that a concept names, each with whether it is said or ruled out; only one of these where asked."""
    tree = read(concept) if isinstance(concept, str) else concept
    return {
        (meaning(one.words), one.positive)
        for one in occurrences(tree)
        if positive is None or one.positive == positive
    }


def _unexcepted(phrase: str) -> str:
    """The phrase without its exception."""
    return phrase.partition(EXCEPT)[0]


def _counted(said: Concept | str, true: str, *, exact: bool) -> Match:
    told, own = named(said), named(true)
    common = len(told & own)
    return Match(exact, common / len(own), common / len(told))


def _together(concept: Concept) -> bool:
    """Whether parts of it must come together."""
    return isinstance(concept, All) or any(map(_together, parts_of(concept)))


def _readable(concept: str) -> bool:
    try:
        read(concept)
    except UserError:
        return False
    return True
