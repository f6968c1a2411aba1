"""Questions that tell two scenes apart: the right answer differs between the sides of a pair.

Knows what a concept says of the one thing that changed. For a swapped word it asks for that word ("what color is the
star ?"), for a background what it is, and else whether there is such a thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments.tableau.concepts import WORDS, Concept, holds
from experiments.tableau.phrases import ATTRIBUTES, Phrase, census, full, shortenings
from experiments.tableau.questions import TEMPLATES, Kind, Question
from experiments.tableau.scene import Scene


class Worded(NamedTuple):
    """A question and how it is put."""

    meant: Question
    text: str


def telling_question(
    one: Scene, other: Scene, concepts: Sequence[Concept], rng: np.random.Generator
) -> Worded:
    """A question with one right answer in each scene, and not the same, about the first concept whose truth differs.

    Raises ValueError when none of them tells the scenes apart.
    """
    for concept in concepts:
        truths = holds(concept, one), holds(concept, other)
        if truths in ((False, True), (True, False)):
            without, with_ = (one, other) if truths[1] else (other, one)
            question = _question(without, with_, concept, rng)
            return Worded(question, question.text(int(rng.integers(len(TEMPLATES[question.kind])))))
    raise ValueError("no concept tells the two scenes apart")


def _question(without: Scene, with_: Scene, concept: Concept, rng: np.random.Generator) -> Question:
    if concept.background is not None:
        return Question("background")
    gone = [thing for thing in with_.things if thing not in without.things]
    come = [thing for thing in without.things if thing not in with_.things]
    if len(gone) == len(come) == 1:
        swapped = [name for name in ATTRIBUTES if getattr(gone[0], name) != getattr(come[0], name)]
        if len(swapped) == 1 and (reference := _reference(without, with_, full(gone[0]), swapped[0], rng)):
            kind: Kind = swapped[0]  # type: ignore[assignment]  # every attribute is a kind of question
            return Question(kind, reference)
    thing = next(thing for thing in with_.things if concept.matches(thing))
    said: Any = {
        name: getattr(thing, name) for name in ATTRIBUTES if getattr(concept, name) != set(WORDS[name])
    }
    return Question("polling", Phrase(**(said or {"shape": thing.shape})))


def _reference(
    without: Scene, with_: Scene, thing: Phrase, attribute: str, rng: np.random.Generator
) -> Phrase | None:
    """Words for a thing that fit it alone on both sides and say nothing of the attribute: one of the shortest."""
    counts = census(without), census(with_)
    fitting = [
        phrase
        for phrase in shortenings(thing)
        if not phrase.names(attribute) and all(count[phrase] == 1 for count in counts)
    ]
    shortest = [phrase for phrase in fitting if phrase.said == fitting[0].said]
    return shortest[int(rng.integers(len(shortest)))] if shortest else None
