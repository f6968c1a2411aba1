"""Drawing questions about a scene: different ones, fairly spread over their answers.

Knows which questions of a kind have one right answer in a scene, and draws among them answer first, question second,
so that no answer is common merely because the world is. Knows nothing about wording or data sets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from experiments.tableau.phrases import ATTRIBUTES, VALUES, Phrase, census, full, shortenings
from experiments.tableau.questions import (
    NUMBERS,
    RELATIONS,
    Fact,
    Kind,
    Question,
    Unanswerable,
    answer,
)
from experiments.tableau.scene import COLORS, SHAPES, Scene

T = TypeVar("T")
MOST_SAID, MOST_ADJECTIVES, MOST_COUNTED = 4, 2, 2
"""Most attributes of a phrase, adjectives of a polled or absent one, and attributes of a counted one: the same for
true phrases and false ones, so that length tells nothing."""


class Asker:
    """Draws questions about one scene."""

    def __init__(self, scene: Scene, rng: np.random.Generator) -> None:
        self.scene = scene
        self.rng = rng
        self.census = census(scene)
        self.references = [
            [phrase for phrase in shortenings(full(thing)) if self.census[phrase] == 1]
            for thing in scene.things
        ]

    def draw(self, kind: Kind, want: str | None = None) -> Question | None:
        """A question of the kind, with the answer `want` if one is given; None when the scene has no such one."""
        by_answer = self.choices(kind)
        if want is not None:
            choices = by_answer.get(want, [])
        elif by_answer:
            choices = by_answer[self._pick(list(by_answer))]
        else:
            choices = []
        return self._pick(choices) if choices else None

    def choices(self, kind: Kind) -> dict[str, list[Question]]:
        """Questions of the kind that have one right answer here, by that answer; a fresh selection at every call."""
        by_answer: defaultdict[str, list[Question]] = defaultdict(list)
        for question in self._candidates(kind):
            try:
                by_answer[answer(question, self.scene)].append(question)
            except Unanswerable:
                continue
        return by_answer

    def draw_absent(self, kind: Kind) -> Question | None:
        """An attribute question about something that is not there; its answer is "none"."""
        phrase = self._absent(avoid=kind)
        return Question(kind, phrase) if phrase else None

    def _pick(self, options: Sequence[T]) -> T:
        return options[int(self.rng.integers(len(options)))]

    def _candidates(self, kind: Kind) -> Iterator[Question]:
        match kind:
            case "polling":
                yield from self._polls()
            case "color" | "shape" | "fill" | "size":
                for index in range(len(self.scene.things)):
                    if phrase := self._reference(index, avoid=kind):
                        yield Question(kind, phrase)
            case "background" | "sign":
                yield Question(kind)
            case "counting":
                yield from self._counts()
            case "relation" | "two_hop":
                for index in range(len(self.scene.things)):
                    if phrase := self._reference(index):
                        yield from (Question(kind, phrase, relation) for relation in RELATIONS)
            case "relation_yn" | "compare":
                yield from self._comparisons(kind)
            case "context":
                yield self._context()

    def _reference(self, index: int, avoid: str = "") -> Phrase | None:
        """A phrase that fits this thing alone and says nothing of the attribute `avoid`; short ones are preferred."""
        fitting = [phrase for phrase in self.references[index] if not avoid or not phrase.names(avoid)]
        if not fitting:
            return None
        return fitting[min(int(self.rng.integers(len(fitting))), int(self.rng.integers(len(fitting))))]

    def _polls(self) -> Iterator[Question]:
        present = [phrase for phrase in self.census if len(phrase.adjectives) <= MOST_ADJECTIVES]
        for _ in range(2):
            if present:
                yield Question("polling", self._pick(present))
            if absent := self._absent():
                yield Question("polling", absent)

    def _absent(self, avoid: str = "", longest: int = MOST_SAID) -> Phrase | None:
        """A phrase of at most `longest` attributes that fits nothing: most are true but for one attribute."""
        for _ in range(8):
            if self.census and self.rng.random() < 0.7:
                base = self._pick(list(self.census))
                name = self._pick([name for name in ATTRIBUTES if base.names(name)])
                changed: dict[str, Any] = {name: self._pick(VALUES[name])}
                phrase = replace(base, **changed)
            else:
                looks: dict[str, Any] = {name: self._pick(VALUES[name]) for name in ATTRIBUTES}
                phrase = self._pick(list(shortenings(Phrase(**looks)))[:10])
            if phrase.said > longest or len(phrase.adjectives) > MOST_ADJECTIVES:
                continue
            if phrase not in self.census and not (avoid and phrase.names(avoid)):
                return phrase
        return None

    def _counts(self) -> Iterator[Question]:
        yield Question("counting")
        for phrase, count in self.census.items():
            if count < len(NUMBERS) and phrase.said <= MOST_COUNTED:
                yield Question("counting", phrase)
        if absent := self._absent(longest=MOST_COUNTED):
            yield Question("counting", absent)

    def _comparisons(self, kind: Kind) -> Iterator[Question]:
        for first in range(len(self.scene.things)):
            for second in range(len(self.scene.things)):
                one, other = self._reference(first), self._reference(second)
                if first != second and one and other:
                    if kind == "compare" and (None in (one.shape, other.shape) or one.shape == other.shape):
                        continue
                    yield Question(kind, one, self._pick(list(RELATIONS)), other)

    def _context(self) -> Question:
        shapes = self.rng.permutation(len(SHAPES))[: int(self.rng.integers(2, 5))]
        facts = tuple(Fact(SHAPES[i], self._pick(list(COLORS))) for i in shapes)
        return Question("context", Phrase(shape=self._pick(list(facts)).shape), facts=facts)
