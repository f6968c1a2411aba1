"""Scenes and stimuli for audits, and what comes with what where the models were trained.

Knows seeds, keys and counts over the regular distribution; knows nothing about models. Pictures are fresh: none stands
in a training, nor in a split that labelling runs are judged on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import count

import numpy as np

from experiments.tableau.data import Split, scene, scenes
from experiments.tableau.edit import Add, edit
from experiments.tableau.pairing import spots
from experiments.tableau.phrases import Phrase
from experiments.tableau.questions import Question
from experiments.tableau.sampler import HELD_OUT, any_thing
from experiments.tableau.scene import SHAPES, Scene, Shape, Thing
from experiments.tableau.source import painted
from store.errors import UserError
from tools.stimuli import Stimulus

BEGIN = 97 << 32
"""Where in `check` and `regular` the scenes of audits begin; each survey has 2²⁴ of them."""
COUNTED = 3000
"""Scenes of the regular distribution on which co-occurrence is counted."""
MOST_TRIED = 20_000
"""Scenes that are looked through for those that a survey needs."""


def stimulus(seen: Scene, question: str, answer: str = "") -> Stimulus:
    """A question before a scene; equal scenes and words have equal keys."""
    told = hashlib.sha256(f"{seen!r}|{question}".encode()).hexdigest()[:24]
    return Stimulus(f"audit/{told}", painted(seen), question, answer)


def drawn(
    split: Split, survey: int, seed: int, wanted: Callable[[Scene], bool] = lambda _: True
) -> Iterator[Scene]:
    """Fresh scenes of a survey that are wanted, MOST_TRIED at most looked at."""
    for number in count(BEGIN + (survey << 24)):
        if number >= BEGIN + (survey << 24) + MOST_TRIED:
            return
        seen = scene(split, number, seed)
        if wanted(seen):
            yield seen


def shapes_in(seen: Scene) -> frozenset[Shape]:
    return frozenset(thing.shape for thing in seen.things)


def there(shape: Shape) -> str:
    """Whether such a thing is there, as a question."""
    return Question("polling", Phrase(shape=shape)).text()


def thing_of(shape: Shape, rng: np.random.Generator) -> Thing:
    """A thing of this shape as balanced scenes have it, not yet placed."""
    while True:
        thing = any_thing(rng)
        if thing.shape == shape and (thing.color, shape) not in HELD_OUT:
            return thing


def with_a(seen: Scene, shape: Shape, rng: np.random.Generator) -> Scene | None:
    """The scene with one more thing, of this shape; None where there is no room."""
    for thing in spots(seen, thing_of(shape, rng), rng):
        with suppress(UserError):
            return edit(seen, Add(thing))
    return None


class Company:
    """Shares over scenes of the training distribution: of shapes, and of what else is there where a shape is."""

    def __init__(self, seen: list[Scene]) -> None:
        self.scenes = seen
        self.shape = {shape: float(np.mean([shape in shapes_in(one) for one in seen])) for shape in SHAPES}

    def given(self, shape: Shape, holds: Callable[[Scene], bool]) -> float:
        """How often it holds in scenes with the shape, less how often in those without it."""
        with_: list[bool] = []
        without: list[bool] = []
        for one in self.scenes:
            (with_ if shape in shapes_in(one) else without).append(holds(one))
        return float(np.mean(with_) - np.mean(without))

    def comes_with(self, other: Shape, shape: Shape) -> float:
        return self.given(shape, lambda one: other in shapes_in(one))


@lru_cache(maxsize=1)
def company() -> Company:
    """What comes with what where the embedded models were trained."""
    return Company(list(scenes("regular", COUNTED)))
