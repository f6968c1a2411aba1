"""Edits to try an editor with, of every kind, and ways to do each of them wrong, painted exactly.

The list is one for all measurements: triples (triples.py) of fresh scenes that no training and no agent sees. What is
right and what is wrong is known from the scenes, so that a verifier can be measured by pictures whose truth nobody has
to judge. Knows scenes and instructions; knows no model and no verifier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

import numpy as np
from PIL import Image

from experiments.tableau.edit import Add, Remove, SetBackground, edit
from experiments.tableau.intents import intent_of
from experiments.tableau.pairing import MOST_THINGS, changed, spots
from experiments.tableau.phrases import ATTRIBUTES, VALUES
from experiments.tableau.questions import RELATIONS
from experiments.tableau.sampler import sample
from experiments.tableau.scene import BACKGROUNDS, Scene, Thing
from experiments.tableau.source import painted
from experiments.tableau.triples import EDIT_KINDS, EditKind, Triple, triple
from store.errors import UserError
from tools.editing.intent import Planned
from tools.stimuli import Stimulus

STREAM = 17
"""Stream of the sampler that these scenes alone come from."""
TRIED: tuple[EditKind, ...] = tuple(kind for kind in EDIT_KINDS if kind != "draw")
"""Kinds that change a picture; a drawing has none before it."""
Rng = np.random.Generator
T = TypeVar("T", bound=str)


@dataclass(frozen=True, eq=False)
class Trial:
    """One edit that is to be tried: what it is, and what has to be true of the picture afterwards."""

    asked: Triple
    planned: Planned

    @property
    def kind(self) -> EditKind:
        return self.asked.kind


@dataclass(frozen=True, eq=False)
class Outcome:
    """A painted result of a trial, whether it is what was meant, and in words how it came about."""

    trial: Trial
    picture: Image.Image
    right: bool
    how: str


def fresh(
    n: int,
    seed: int,
    kinds: Sequence[EditKind] = EDIT_KINDS,
    suits: Callable[[Triple], bool] = lambda asked: True,
) -> list[Triple]:
    """`n` edits of every kind that suit, each of a scene of its own."""
    found: list[Triple] = []
    numbers = count(seed << 40)
    for kind in kinds:
        made: list[Triple] = []
        while len(made) < n:
            number = next(numbers)
            seen = sample(number, "balanced", STREAM)
            asked = triple(seen, kind, np.random.default_rng([STREAM, number]))
            if asked is not None and suits(asked):
                made.append(asked)
        found += made
    return found


def trials(n: int, seed: int, kinds: Sequence[EditKind] = TRIED) -> list[Trial]:
    """`n` edits of each kind in their first wording; none that names a relation, of which a verifier sees nothing."""
    asked = fresh(n, seed, kinds, lambda one: not any(words in one.wordings[0] for words in RELATIONS))
    return [Trial(one, _planned(one, f"trial/{seed}/{place}")) for place, one in enumerate(asked)]


def _planned(asked: Triple, key: str) -> Planned:
    instruction = asked.wordings[0]
    before, after = (
        Stimulus(name, painted(scene)) for name, scene in ((key, asked.before), (f"{key} after", asked.after))
    )
    intent = intent_of(instruction, asked.before, asked.after)
    return Planned(instruction, intent, before, after, f"`{instruction}` in {key}")


def outcomes(trial: Trial, rng: Rng) -> list[Outcome]:
    """The trial done right, and done wrong in every way that the picture allows."""
    before, after = trial.asked.before, trial.asked.after
    changed_to = _wrong(before, after, _left_open(trial.asked), rng)
    wrong = {how: found for how, found in changed_to if found != after}
    return [
        Outcome(trial, painted(after), True, "as meant"),
        *(Outcome(trial, painted(scene), False, how) for how, scene in wrong.items()),
    ]


def _left_open(asked: Triple) -> frozenset[str]:
    """The attributes of an added thing of which the words say nothing: there no word is wrong."""
    if asked.kind != "add":
        return frozenset()
    (thing,) = set(asked.after.things) - set(asked.before.things)
    said = asked.wordings[0].split()
    return frozenset(name for name in ATTRIBUTES if getattr(thing, name) not in said)


def _wrong(before: Scene, after: Scene, left_open: Set[str], rng: Rng) -> Iterator[tuple[str, Scene]]:
    """Scenes that are not what was meant, with what went wrong."""
    yield "nothing changed", before
    ground = _other(BACKGROUNDS, after.background, rng)
    if before.background == after.background or ground != before.background:
        yield "the background is another one", edit(after, SetBackground(ground))
    kept = [index for index, thing in enumerate(after.things) if thing in before.things]
    new = [index for index, thing in enumerate(after.things) if thing not in before.things]
    if kept:
        index = kept[int(rng.integers(len(kept)))]
        yield "another thing is gone", edit(after, Remove(index))
        yield from _altered("another thing has another {}", after, index, rng)
        yield from _doubled("another thing is there twice", after, after.things[index], rng)
    if new:
        said = [name for name in ATTRIBUTES if name not in left_open]
        yield from _altered("the thing has the wrong {}", after, new[0], rng, said)
        yield from _doubled("the thing is there twice", after, after.things[new[0]], rng)
    gone = [index for index, thing in enumerate(before.things) if thing not in after.things]
    if gone and len(before.things) > 1:
        other = next(index for index in range(len(before.things)) if index not in gone)
        yield "another thing was taken away instead", edit(before, Remove(other))


def _doubled(told: str, scene: Scene, thing: Thing, rng: Rng) -> Iterator[tuple[str, Scene]]:
    """The scene with another thing like this one, where there is room."""
    placed = next(spots(scene, thing, rng), None)
    if placed is not None and len(scene.things) < MOST_THINGS:
        yield told, edit(scene, Add(placed))


def _altered(
    told: str, scene: Scene, index: int, rng: Rng, names: Sequence[str] = ATTRIBUTES
) -> Iterator[tuple[str, Scene]]:
    """The scene with each of these attributes of one thing changed in turn, where there is room."""
    for name in names:
        word = _other(VALUES[name], getattr(scene.things[index], name), rng)
        with suppress(UserError):
            yield told.format(name), edit(scene, changed(index, name, word))


def _other(words: tuple[T, ...], word: str, rng: Rng) -> T:
    others = [one for one in words if one != word]
    return others[int(rng.integers(len(others)))]
