"""How present a concept is, from how present its phrases are.

In a world where every phrase holds or does not, `!a` is 1 − a, `a & b` the lesser, `a | b` the greater, and a sum the
weighted mean. Presence is what is expected of that where phrases hold independently, each with its judge's
probability: P(a & b) = ab, P(a | b) = 1 − (1 − a)(1 − b), and P(a & a) = a, since one phrase has one truth. For a judge
that is sure (0 or 1) this is logic, whatever the combination. Knows nothing about who judges a phrase.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from store.errors import UserError
from tools.scoring import grammar
from tools.scoring.tree import (
    All,
    Any,
    Concept,
    Not,
    Phrase,
    Sum,
    Weighted,
    graded,
    occurrences,
    parts_of,
)

__all__ = ["All", "Any", "Concept", "Not", "Phrase", "Sum", "Weighted", "concept_values", "phrases", "read"]

Presence = Float[np.ndarray, "stimulus"]
Column = Callable[[str], Presence]
MOST_TANGLED = 8
"""Phrases that may have to be tried as true and as false: the work doubles with each."""


@lru_cache(maxsize=4096)
def read(text: str) -> Concept:
    """The concept that `text` writes (grammar.py).

    Raises UserError of kind "concept" with the place where it breaks, and for one that repeats too many phrases.
    """
    concept = grammar.read(text)
    if len(found := _tangled(concept)) > MOST_TANGLED:
        raise UserError(
            f"the concept `{text}` says {len(found)} phrases more than once, or in sums that are joined",
            kind="concept",
            hint=f"say each phrase once; at most {MOST_TANGLED} may come back",
        )
    return concept


def phrases(concept: Concept | str) -> tuple[str, ...]:
    """Every phrase of the concept, each once, in order."""
    return tuple(dict.fromkeys(found.words for found in occurrences(_tree(concept))))


def concept_values(concept: Concept | str, column: Column) -> Presence:
    """Presence of the concept in every stimulus, from 0 to 1; `column` gives that of a phrase."""
    return np.clip(_expected(_tree(concept), column, {}), 0, 1)


def _tree(concept: Concept | str) -> Concept:
    return read(concept) if isinstance(concept, str) else concept


def _expected(concept: Concept, column: Column, fixed: Mapping[str, float]) -> Presence:
    """Expected truth, given the truth of the phrases that are `fixed`."""
    match concept:
        case Phrase(words):
            return np.asarray(fixed[words] if words in fixed else column(words), dtype=np.float64)
        case Not(part):
            return 1 - _expected(part, column, fixed)
        case Sum():
            shares = [float(weight) * _expected(part, column, fixed) for weight, part in concept.shares]
            return np.sum(np.stack(np.broadcast_arrays(*shares)), axis=0)
        case All(parts):
            return _least(parts, column, fixed)
        case Any(parts):
            return 1 - _least(tuple(map(Not, parts)), column, fixed)


def _least(parts: Sequence[Concept], column: Column, fixed: Mapping[str, float]) -> Presence:
    """Expected least of the parts: a product, once no phrase is in two of them and no more than one is graded."""
    for words in _shared(parts):
        if words not in fixed:
            held = np.asarray(column(words), dtype=np.float64)
            true, false = (_least(parts, column, {**fixed, words: truth}) for truth in (1.0, 0.0))
            return held * true + (1 - held) * false
    settled = [part for part in parts if all(words in fixed for words in phrases(part))]
    least = min((_expected(part, column, fixed) for part in settled), default=np.ones(()))
    open_ = [_expected(part, column, fixed) for part in parts if part not in settled]
    return least * np.prod(np.stack(np.broadcast_arrays(*open_)), axis=0) if open_ else least


def _shared(parts: Sequence[Concept]) -> list[str]:
    """Phrases that keep the parts from being independent of each other, or from having a product as their least."""
    counts = Counter(words for part in parts for words in phrases(part))
    sums = [part for part in parts if graded(part)]
    by_halves = {words for part in sums for words in phrases(part)} if len(sums) > 1 else set()
    return [words for words, count in counts.items() if count > 1 or words in by_halves]


def _tangled(concept: Concept) -> set[str]:
    """Phrases that `concept_values` tries as true and as false."""
    here = set(_shared(concept.of)) if isinstance(concept, All | Any) else set()
    return here.union(*map(_tangled, parts_of(concept)))
