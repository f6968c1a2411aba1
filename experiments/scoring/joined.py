"""Two phrases joined: the search for `a | b` or `a & b` that fits a unit best, and which concepts a search covers.

Two phrases fit better than one by chance alone, so a null of single phrases says nothing of a pair. Every pair is
tried, and the best of each kind kept: a kind is the two classes that the phrases are of. Knows how presences combine;
knows nothing of copies, sides or thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from tools.scoring.concept import All, Any, Phrase, read
from tools.scoring.correlation import correlations, standardized
from tools.scoring.narrowing import narrowed
from tools.scoring.presence import Presence, has_support

FLAT = 1e-6
"""Deviation of a joined presence below which it tells nothing."""


class Joined(NamedTuple):
    """Each unit's best two phrases of every kind, under one sign; kinds as in `kinds`.

    `strength` is their correlation on the half that chose them, from 0 (no pair could be tried, or none fits) to 1;
    `rho` that on the other half; `pair` the labels that they join.
    """

    strength: Float[np.ndarray, "kind unit"]
    rho: Float[np.ndarray, "kind unit"]
    pair: Int[np.ndarray, "kind unit two"]


@dataclass(frozen=True, eq=False)
class Pairs:
    """All pairs of a presence's labels, made ready once for any number of units; labels stand in order of their class.

    `order` are their places in the presence; `weight` has for `a & b` and for `a | b` one over their deviation on the
    stimuli that choose, 0 where they are not tried: for want of support, or because one phrase says the other.
    """

    true: Float[np.ndarray, "label stimulus"]
    half: Bool[np.ndarray, "stimulus"]
    order: Int[np.ndarray, "label"]
    class_of: Int[np.ndarray, "label"]
    weight: Float[np.ndarray, "sign label label"]


def is_searched(concept: str) -> bool:
    """Whether the search in untrained copies covers concepts of this form: one phrase, or two joined by `|` or `&`.

    Negations, places, exceptions, and combinations of more phrases are not covered. Raises UserError for a concept that
    can't be read.
    """
    match read(concept):
        case Phrase(words):
            return not narrowed(words).steps
        case Any(parts) | All(parts):
            plain = (isinstance(part, Phrase) and not narrowed(part.words).steps for part in parts)
            return len(parts) == 2 and all(plain)
        case _:
            return False


def kinds(classes: int) -> list[tuple[int, int]]:
    """Every two of so many classes, a class with itself too."""
    return list(combinations_with_replacement(range(classes), 2))


def all_pairs(presence: Presence, half: Bool[np.ndarray, "stimulus"]) -> Pairs:
    """`half` marks the stimuli that choose; `presence` should be `supported(half)`, and pairs need the same support."""
    order = np.argsort(presence.class_of, kind="stable")
    true = presence.true[order].astype(np.float64)
    apart = say_different_things([presence.labels[label].words for label in order])
    weight = np.zeros((2, *apart.shape))
    for label in range(len(true)):
        others = label + 1 + np.flatnonzero(apart[label, label + 1 :])
        pairs = np.stack([np.full_like(others, label), others], axis=1)
        for sign, rows in enumerate(joined(true, pairs)):
            deviation = rows[:, half].std(axis=1)
            tried = has_support(rows, half) & (deviation > FLAT)
            weight[sign, label, others] = np.where(tried, 1 / np.where(tried, deviation, 1), 0)
    return Pairs(true, half, order, presence.class_of[order], np.maximum(weight, weight.swapaxes(1, 2)))


def best_joined(values: Float[np.ndarray, "stimulus unit"], pairs: Pairs) -> Joined:
    """Chosen on one half of the stimuli, measured on the other.

    Only phrases that hold where a unit is more active are joined: one that holds where it is less active fits as a
    negation, and negations are not searched.
    """
    half, which = pairs.half, kinds(int(pairs.class_of[-1]) + 1)
    true, chooses = pairs.true[:, half], standardized(values[half])
    strength, rho = np.zeros((2, len(which), values.shape[1]))
    best = np.zeros((*strength.shape, 2), np.int64)
    for unit in range(values.shape[1]):
        single = true @ chooses[:, unit] / half.sum()
        holding = np.flatnonzero(single > 0)
        fit = _fit(true[holding], chooses[:, unit], pairs.weight[:, holding[:, None], holding])
        found = _best(fit, np.searchsorted(pairs.class_of[holding], range(int(pairs.class_of[-1]) + 2)))
        kind, sign = found.kind, found.sign
        two = holding[found.two]
        both, either = joined(pairs.true[:, ~half], two)
        measured = correlations(np.where(sign[:, None] == 0, both, either), values[~half, unit : unit + 1])
        strength[kind, unit], rho[kind, unit] = found.strength, measured[:, 0]
        best[kind, unit] = pairs.order[two]
    return Joined(strength, rho, best)


def joined(
    true: Bool[np.ndarray, "label stimulus"] | Float[np.ndarray, "label stimulus"],
    pairs: Int[np.ndarray, "pair two"],
) -> tuple[Float[np.ndarray, "pair stimulus"], Float[np.ndarray, "pair stimulus"]]:
    """Presence of `a & b` and of `a | b` for every pair of labels, as concept.py combines them."""
    first, second = (true[pairs[:, place]].astype(np.float64) for place in (0, 1))
    return first * second, 1 - (1 - first) * (1 - second)


def say_different_things(phrases: Sequence[str]) -> Bool[np.ndarray, "phrase phrase"]:
    """True where neither phrase has all the words of the other; "thing" says nothing."""
    words = [set(phrase.split()) - {"thing"} for phrase in phrases]
    return np.array([[not (a <= b or b <= a) for b in words] for a in words], dtype=np.bool_)


def _fit(
    true: Float[np.ndarray, "label stimulus"],
    value: Float[np.ndarray, "stimulus"],
    weight: Float[np.ndarray, "sign label label"],
) -> Float[np.ndarray, "sign label label"]:
    """Correlation of `a & b` and of `a | b` (that is a + b − ab) with standardized values, all pairs in one product."""
    single, both = true @ value / len(value), (true * value) @ true.T / len(value)
    fit: Float[np.ndarray, "sign label label"] = weight * np.stack([both, single[:, None] + single - both])
    return fit


class _Best(NamedTuple):
    """Of those kinds of which some pair fits."""

    kind: Int[np.ndarray, "found"]
    sign: Int[np.ndarray, "found"]
    two: Int[np.ndarray, "found two"]
    strength: Float[np.ndarray, "found"]


def _best(fit: Float[np.ndarray, "sign label label"], starts: Int[np.ndarray, "class_and_end"]) -> _Best:
    """Where the fit is best in the block of every kind; a class has the labels from its start to the next one's."""
    bounds = starts.tolist()
    rows = []
    for kind, (one, two) in enumerate(kinds(len(bounds) - 1)):
        block = fit[:, bounds[one] : bounds[one + 1], bounds[two] : bounds[two + 1]]
        if block.size and block.max() > 0:
            sign, first, second = np.unravel_index(block.argmax(), block.shape)
            rows.append((kind, sign, bounds[one] + first, bounds[two] + second))
    kind_, sign_, first_, second_ = np.array(rows, np.int64).reshape(-1, 4).T
    return _Best(kind_, sign_, np.stack([first_, second_], axis=1), fit[sign_, first_, second_])
