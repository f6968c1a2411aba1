"""Phrases × stimuli: what is true of each picture, and of each question about it.

Knows which statements a unit could stand for, in classes within which they are about equally frequent, so that each
class has a null of its own. Knows nothing about activations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from experiments.tableau.balanced import Item
from experiments.tableau.phrases import PLURALS
from experiments.tableau.questions import NUMBERS, RELATIONS
from experiments.tableau.scene import COLORS, FILLS, SHAPES, SIZES, Scene

PhraseClass = Literal[
    "background",
    "color",
    "shape",
    "fill",
    "size",
    "pair",
    "count",
    "style",
    "sign",
    "kind",
    "asked",
    "answer",
]
SUPPORT = 10
"""Positives and negatives that a phrase must have in either half; rarer ones are left out."""
_SINGULAR = {plural: word for word, plural in PLURALS.items()}
_WORDS = {*COLORS, *SHAPES, *FILLS, *SIZES, "thing", *(relation.split()[0] for relation in RELATIONS)}


class Label(NamedTuple):
    """A statement that is true or false of a stimulus, with the class in which it competes."""

    of: PhraseClass
    words: str


@dataclass(frozen=True, eq=False)
class Presence:
    """Which label is true of which stimulus. `classes` are those that occur; `class_of` indexes them by label."""

    labels: tuple[Label, ...]
    true: Bool[np.ndarray, "label stimulus"]

    @property
    def classes(self) -> tuple[PhraseClass, ...]:
        return tuple(dict.fromkeys(label.of for label in self.labels))

    @property
    def class_of(self) -> Int[np.ndarray, "label"]:
        index = {name: place for place, name in enumerate(self.classes)}
        return np.array([index[label.of] for label in self.labels], dtype=np.int64)

    def supported(self, half: Bool[np.ndarray, "stimulus"]) -> Presence:
        """Without the labels that have fewer than SUPPORT positives or negatives in one of the halves."""
        counts = np.stack([self.true[:, half].sum(1), self.true[:, ~half].sum(1)])
        sizes = np.array([[half.sum()], [(~half).sum()]])
        kept = ((counts >= SUPPORT) & (sizes - counts >= SUPPORT)).all(axis=0)
        labels = tuple(label for label, keep in zip(self.labels, kept, strict=True) if keep)
        return Presence(labels, self.true[kept])


def presence(facts: Sequence[frozenset[Label]]) -> Presence:
    """The matrix of all labels that are true of at least one stimulus, in a fixed order."""
    labels = tuple(sorted(frozenset().union(*facts)))
    true = np.array([[label in known for known in facts] for label in labels], dtype=np.bool_)
    return Presence(labels, true)


def true_of(scene: Scene) -> frozenset[Label]:
    """What can be said of a picture; "pair" is a color together with the shape that bears it."""
    things = scene.things
    found = {
        Label("background", scene.background),
        Label("count", f"{NUMBERS[len(things)]} things"),
        Label("style", scene.style),
    }
    for thing in things:
        found |= {
            Label("color", thing.color),
            Label("shape", thing.shape),
            Label("fill", thing.fill),
            Label("size", thing.size),
            Label("pair", f"{thing.color} {thing.shape}"),
        }
    if scene.sign:
        found.add(Label("sign", "a sign"))
    return frozenset(found)


def asked_in(item: Item) -> frozenset[Label]:
    """What can be said of a question: its kind, the key words that it names, and its right answer."""
    words = {_SINGULAR.get(word, word) for word in item.text.split()} & _WORDS
    return frozenset(
        {
            Label("kind", f"asks for {item.question.kind}"),
            Label("answer", f"the answer is {item.answer}"),
            *(Label("asked", f"names {word}") for word in words),
        }
    )
