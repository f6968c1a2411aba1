"""Whether what was said is what is true: concepts compared by meaning, not by letters.

Two concepts are the same when they join the same meanings in the same way, in whatever order and words ("red thing",
"crimson" and "a red thing" mean one thing). Recall and precision count the phrases of combinations.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from experiments.tableau.concepts import read_concept
from store.errors import UserError
from tools.scoring.concept import All, Any, Concept, Not, Phrase, phrases, read


class Match(NamedTuple):
    """Of one unit: the very concept; the share of its phrases that were named; the share of named ones that are its."""

    exact: bool
    recall: float
    precision: float


NOTHING_SAID = Match(exact=False, recall=0.0, precision=0.0)


def match(said: str, true: str) -> Match:
    """How what was said compares with the truth; nothing said counts as 0."""
    if not said:
        return NOTHING_SAID
    named = {meaning(phrase) for phrase in phrases(said)}
    own = {meaning(phrase) for phrase in phrases(true)}
    common = len(named & own)
    return Match(canonical(said) == canonical(true), common / len(own), common / len(named))


def canonical(text: str) -> Hashable:
    """The same value for concepts that join the same meanings in the same way."""
    return _canonical(read(text))


def meaning(phrase: str) -> Hashable:
    """What a phrase says of pictures; of questions and answers, and of unknown words, the words themselves."""
    try:
        return read_concept(phrase)
    except UserError:
        return " ".join(phrase.lower().split())


def _canonical(concept: Concept) -> Hashable:
    match concept:
        case Phrase(words):
            return meaning(words)
        case Not(part):
            return ("!", _canonical(part))
        case All(parts):
            return _joined("&", parts)
        case Any(parts):
            return _joined("|", parts)


def _joined(sign: str, parts: tuple[Concept, ...]) -> Hashable:
    """A set of parts, those of nested combinations of the same kind among them; one part alone is itself."""
    found: set[Hashable] = set()
    for part in parts:
        one = _canonical(part)
        inner = one[1] if isinstance(one, tuple) and one[0] == sign else frozenset({one})
        assert isinstance(inner, frozenset)
        found |= inner
    return (sign, frozenset(found)) if len(found) > 1 else next(iter(found))
