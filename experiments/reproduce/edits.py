"""Edits in words after which a question about a picture has another right answer.

Knows questions of the embedded world, and three levels at which a picture can be edited: a thing comes or goes
(`object`), a thing or the background looks different (`attribute`), a thing stands elsewhere (`relation`). Knows
nothing about who carries an edit out: an exact editor, a diffusion model, or one that fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, TypeVar, get_args

import numpy as np

from experiments.tableau.phrases import Phrase, census, find, full, shortenings
from experiments.tableau.questions import ANSWERS, NUMBERS, Kind, Question, Relation, Unanswerable, holds
from experiments.tableau.sampler import HELD_OUT
from experiments.tableau.scene import Scene, Thing

T = TypeVar("T")
Level = Literal["object", "attribute", "relation"]
LEVELS: tuple[Level, ...] = get_args(Level)
KINDS_OF: dict[Level, tuple[Kind, ...]] = {
    "object": ("polling", "counting"),
    "attribute": ("color", "shape", "fill", "size"),
    "relation": ("relation_yn", "compare"),
}
"""Kinds of questions whose edits are of one level alone."""
EDITED: tuple[Kind, ...] = (
    *(kind for kinds in KINDS_OF.values() for kind in kinds),
    "background",
    "relation",
)
"""Kinds for which an edit is known; `relation` asks for a shape, and the thing that has it is given another."""
OPPOSITE: dict[Relation, Relation] = {
    "left of": "right of",
    "right of": "left of",
    "above": "below",
    "below": "above",
}


class Wish(NamedTuple):
    """An instruction for an editor, and the question's right answer once it is carried out."""

    instruction: str
    answer: str


def wishes(question: Question, scene: Scene, word: str, rng: np.random.Generator) -> Iterator[Wish]:
    """Edits that change the right answer, which is `word` now, in random order; none for a kind that is not EDITED.

    No edit makes a color and shape that the world's training pictures never show together.
    """
    kind = question.kind
    match kind:
        case "color" | "shape" | "fill" | "size":
            matching = find(question.phrase, scene)
            if len(matching) == 1:
                yield from _looks(scene, matching[0], question.phrase, kind, rng)
        case "relation":
            yield from _beyond(question, scene, word, rng)
        case "background":
            for other in _shuffled([one for one in ANSWERS[kind] if one != word], rng):
                yield Wish(f"make the background {other}", other)
        case "polling" if word == "yes":
            if len(find(question.phrase, scene)) == 1:
                yield Wish(f"remove the {question.phrase}", "no")
        case "polling":
            yield Wish(f"add {question.phrase.with_article}", "yes")
        case "counting":
            yield from _counts(question.phrase, scene, word, rng)
        case "relation_yn" | "compare":
            yield from _moves(question, scene, word)


def _looks(
    scene: Scene, index: int, phrase: Phrase, attribute: Kind, rng: np.random.Generator
) -> Iterator[Wish]:
    thing = scene.things[index]
    for word in _shuffled([one for one in ANSWERS[attribute] if one != getattr(thing, attribute)], rng):
        color, shape = (word if attribute == name else getattr(thing, name) for name in ("color", "shape"))
        if (color, shape) not in HELD_OUT:
            yield Wish(f"make the {phrase} {word}", word)


def _beyond(question: Question, scene: Scene, word: str, rng: np.random.Generator) -> Iterator[Wish]:
    """The one thing that stands in the relation gets another shape."""
    assert question.relation
    anchors = find(question.phrase, scene)
    if len(anchors) != 1:
        return
    for index, thing in enumerate(scene.things):
        if index != anchors[0] and thing.shape == word and _stands(question.relation, thing, scene, anchors):
            yield from _looks(scene, index, _name(thing, scene), "shape", rng)


def _counts(phrase: Phrase, scene: Scene, word: str, rng: np.random.Generator) -> Iterator[Wish]:
    """One thing more, or one of those that are counted away."""
    number = NUMBERS.index(word)
    more = [Wish(f"add {phrase.with_article}", NUMBERS[number + 1])] if number + 1 < len(NUMBERS) else []
    fewer = [
        Wish(f"remove the {_name(scene.things[index], scene)}", NUMBERS[number - 1])
        for index in find(phrase, scene)
    ]
    yield from _shuffled([*more, *fewer[:1]], rng)


def _moves(question: Question, scene: Scene, word: str) -> Iterator[Wish]:
    """The first thing goes to the other side of the second."""
    assert question.relation and question.other
    first, second = find(question.phrase, scene), find(question.other, scene)
    if len(first) != 1 or len(second) != 1:
        return
    stood = word == "yes" if question.kind == "relation_yn" else word == scene.things[first[0]].shape
    if question.kind == "relation_yn":
        answer = "no" if stood else "yes"
    else:
        answer = scene.things[(second if stood else first)[0]].shape
    where = OPPOSITE[question.relation] if stood else question.relation
    yield Wish(f"move the {question.phrase} {where} the {question.other}", answer)


def _stands(relation: Relation, thing: Thing, scene: Scene, anchors: Sequence[int]) -> bool:
    try:
        return holds(relation, thing, scene.things[anchors[0]])
    except Unanswerable:
        return False


def _name(thing: Thing, scene: Scene) -> Phrase:
    """The shortest words that fit this thing alone; all that can be said of it where none do."""
    counted = census(scene)
    return next((one for one in shortenings(full(thing)) if counted[one] == 1), full(thing))


def _shuffled(options: Sequence[T], rng: np.random.Generator) -> list[T]:
    return [options[index] for index in rng.permutation(len(options))]
