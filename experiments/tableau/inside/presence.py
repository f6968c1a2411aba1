"""What is true of each picture of this world, and of each question about it, as labels in classes.

Knows which statements a unit could stand for. Knows nothing about activations, nor how phrases are tried on units
(tools/scoring/selectivity.py).
"""

from __future__ import annotations

from experiments.tableau.balanced import Item
from experiments.tableau.phrases import PLURALS
from experiments.tableau.questions import NUMBERS, RELATIONS
from experiments.tableau.scene import COLORS, FILLS, SHAPES, SIZES, Scene
from tools.scoring.presence import Label

CLASSES = (
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
)
_SINGULAR = {plural: word for word, plural in PLURALS.items()}
_WORDS = {*COLORS, *SHAPES, *FILLS, *SIZES, "thing", *(relation.split()[0] for relation in RELATIONS)}


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
