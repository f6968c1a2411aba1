"""Phrases × stimuli: which statements hold of which stimuli, in classes within which phrases compete.

Phrases of one class (colors, backgrounds, …) are about equally frequent, so that each class has a null of its own.
Knows nothing about who says what holds, about words, or about activations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

SUPPORT = 10
"""Positives and negatives that a phrase must have in either half; rarer ones are left out."""


class Label(NamedTuple):
    """A statement that is true or false of a stimulus, with the class in which it competes."""

    of: str
    words: str


@dataclass(frozen=True, eq=False)
class Presence:
    """Which label holds of which stimulus: true or false, or a judge's probability.

    `classes` are those that occur; `class_of` indexes them by label.
    """

    labels: tuple[Label, ...]
    true: Bool[np.ndarray, "label stimulus"] | Float[np.ndarray, "label stimulus"]

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(label.of for label in self.labels))

    @property
    def class_of(self) -> Int[np.ndarray, "label"]:
        index = {name: place for place, name in enumerate(self.classes)}
        return np.array([index[label.of] for label in self.labels], dtype=np.int64)

    def supported(self, half: Bool[np.ndarray, "stimulus"]) -> Presence:
        """Without the labels that have fewer than SUPPORT positives or negatives in one of the halves."""
        kept = has_support(self.true, half)
        labels = tuple(label for label, keep in zip(self.labels, kept, strict=True) if keep)
        return Presence(labels, self.true[kept])


def has_support(
    true: Bool[np.ndarray, "label stimulus"] | Float[np.ndarray, "label stimulus"],
    half: Bool[np.ndarray, "stimulus"],
) -> Bool[np.ndarray, "label"]:
    """Which labels have SUPPORT positives and negatives in either half."""
    holds = true >= 0.5
    counts = np.stack([holds[:, half].sum(1), holds[:, ~half].sum(1)])
    sizes = np.array([[half.sum()], [(~half).sum()]])
    enough: Bool[np.ndarray, "label"] = ((counts >= SUPPORT) & (sizes - counts >= SUPPORT)).all(axis=0)
    return enough


def presence(facts: Sequence[frozenset[Label]]) -> Presence:
    """The matrix of all labels that are true of at least one stimulus, in a fixed order."""
    labels = tuple(sorted(frozenset().union(*facts)))
    true = np.array([[label in known for known in facts] for label in labels], dtype=np.bool_)
    return Presence(labels, true)
