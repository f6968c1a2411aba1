"""Concepts at random, columns for their phrases, and what is true of them in worlds that are sure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

import numpy as np
from hypothesis import strategies as st
from jaxtyping import Float

from tools.scoring.tree import All, Any, Concept, Not, Phrase, Sum, Weighted

WORDS = ("star", "red moon", "dark background", "answer is red")


def _several(inner: st.SearchStrategy[Concept]) -> st.SearchStrategy[tuple[Concept, ...]]:
    return st.lists(inner, min_size=2, max_size=3).map(tuple)


def _sums(inner: st.SearchStrategy[Concept]) -> st.SearchStrategy[Concept]:
    weights = st.integers(1, 99).map(lambda hundredths: Fraction(hundredths, 100))
    parts = st.builds(Weighted, weights, inner)
    return st.lists(parts, min_size=2, max_size=3).map(lambda found: Sum(tuple(found)))


def _grown(inner: st.SearchStrategy[Concept]) -> st.SearchStrategy[Concept]:
    return st.one_of(inner.map(Not), _several(inner).map(All), _several(inner).map(Any), _sums(inner))


concepts: st.SearchStrategy[Concept] = st.recursive(
    st.sampled_from([Phrase(words) for words in WORDS]), _grown, max_leaves=7
)
columns: st.SearchStrategy[dict[str, Float[np.ndarray, "stimulus"]]] = st.fixed_dictionaries(
    {words: st.lists(st.floats(0, 1), min_size=3, max_size=3).map(np.array) for words in WORDS}
)


def worlds(words: Sequence[str]) -> Iterator[dict[str, float]]:
    """Every way in which the phrases can hold."""
    return (dict(zip(words, truths, strict=True)) for truths in product((0.0, 1.0), repeat=len(words)))


def truth(concept: Concept, world: dict[str, float]) -> float:
    """By the definition: `&` is the least, `|` the most, a sum the weighted mean."""
    match concept:
        case Phrase(words):
            return world[words]
        case Not(part):
            return 1 - truth(part, world)
        case All(parts):
            return min(truth(part, world) for part in parts)
        case Any(parts):
            return max(truth(part, world) for part in parts)
        case Sum(weighted):
            whole = sum(weight for weight, _ in weighted)
            return sum(float(weight / whole) * truth(part, world) for weight, part in weighted)
