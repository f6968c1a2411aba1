"""Edits to try an editor with, of seven kinds, and ways to do each of them wrong, painted exactly.

What is right and what is wrong is known from the scenes, so that a verifier can be measured by pictures whose truth
nobody has to judge. Knows scenes and the grammar of instructions; knows no model and no verifier.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from PIL import Image

from experiments.tableau.edit import Remove, SetBackground, edit
from experiments.tableau.intents import TableauIntents, only
from experiments.tableau.pairing import changed, held_out
from experiments.tableau.phrases import ATTRIBUTES, VALUES, full
from experiments.tableau.recall import recall
from experiments.tableau.sampler import any_thing
from experiments.tableau.scene import BACKGROUNDS, Scene
from experiments.tableau.source import TableauSource, painted
from store.errors import UserError
from tools.editing.intent import Planned
from tools.scoring.narrowing import PLACES

EditKind = Literal["color", "shape", "fill", "size", "remove", "add", "background"]
EDIT_KINDS: tuple[EditKind, ...] = ("color", "shape", "fill", "size", "remove", "add", "background")
Rng = np.random.Generator
T = TypeVar("T", bound=str)


@dataclass(frozen=True, eq=False)
class Trial:
    """One edit of a kind that is to be tried."""

    kind: EditKind
    planned: Planned


@dataclass(frozen=True, eq=False)
class Outcome:
    """A painted result of a trial, whether it is what was meant, and in words how it came about."""

    trial: Trial
    picture: Image.Image
    right: bool
    how: str


def trials(kind: EditKind, n: int, seed: int) -> Iterator[Trial]:
    """`n` edits of a kind, each of another picture of the planner's split, in an order drawn by the seed.

    Raises UserError where the split allows fewer.
    """
    rng = np.random.default_rng([EDIT_KINDS.index(kind), seed])
    intents, source, found = TableauIntents(), TableauSource("train"), 0
    if n > len(source):
        raise _too_few(kind, len(source))
    for number in rng.permutation(len(source)).tolist():
        if found == n:
            return
        shown = source.picture(number)
        instruction = _worded(recall(shown.key).scene, kind, rng)
        if instruction is None:
            continue
        with suppress(UserError):  # no room in this picture for a larger or another thing
            planned = intents.edit(shown, instruction, seed)
            yield Trial(kind, planned)
            found += 1
    if found < n:
        raise _too_few(kind, found)


def outcomes(trial: Trial, rng: Rng) -> list[Outcome]:
    """The trial done right, and done wrong in every way that the picture allows."""
    before, after = recall(trial.planned.before.key).scene, recall(trial.planned.after.key).scene
    wrong = {how: found for how, found in _wrong(before, after, rng) if found != after}
    return [
        Outcome(trial, painted(after), True, "as meant"),
        *(Outcome(trial, painted(scene), False, how) for how, scene in wrong.items()),
    ]


def _too_few(kind: EditKind, found: int) -> UserError:
    return UserError(
        f"at most {found} pictures allow an edit of kind `{kind}`", kind="edits", hint="ask for fewer"
    )


def _worded(seen: Scene, kind: EditKind, rng: Rng) -> str | None:
    if kind == "background":
        return f"make the background {_other(BACKGROUNDS, seen.background, rng)}"
    if kind == "add":
        thing = any_thing(rng)
        place = PLACES[int(rng.integers(len(PLACES)))]
        return None if held_out(thing) else f"add {full(thing).with_article} in the {place}"
    phrases = [phrase for thing in seen.things if (phrase := only(thing, seen))]
    if not phrases:
        return None
    phrase = phrases[int(rng.integers(len(phrases)))]
    if kind == "remove":
        return f"remove the {phrase}"
    thing = next(thing for thing in seen.things if phrase.matches(thing))
    word = _other(VALUES[kind], getattr(thing, kind), rng)
    return f"turn the {phrase} into a {word}" if kind == "shape" else f"make the {phrase} {word}"


def _wrong(before: Scene, after: Scene, rng: Rng) -> Iterator[tuple[str, Scene]]:
    """Scenes that are not what was meant, with what went wrong."""
    yield "nothing changed", before
    ground = _other(BACKGROUNDS, after.background, rng)
    if before.background == after.background or ground != before.background:
        yield "the background is another one", edit(after, SetBackground(ground))
    kept = [index for index, thing in enumerate(after.things) if thing in before.things]
    fresh = [index for index, thing in enumerate(after.things) if thing not in before.things]
    if kept:
        index = kept[int(rng.integers(len(kept)))]
        yield "another thing is gone", edit(after, Remove(index))
        yield from _altered("another thing has another {}", after, index, rng)
    if fresh:
        yield from _altered("the thing has the wrong {}", after, fresh[0], rng)
    gone = [index for index, thing in enumerate(before.things) if thing not in after.things]
    if gone and len(before.things) > 1:
        other = next(index for index in range(len(before.things)) if index not in gone)
        yield "another thing was taken away instead", edit(before, Remove(other))


def _altered(told: str, scene: Scene, index: int, rng: Rng) -> Iterator[tuple[str, Scene]]:
    """The scene with each attribute of one thing changed in turn, where there is room."""
    for name in ATTRIBUTES:
        word = _other(VALUES[name], getattr(scene.things[index], name), rng)
        with suppress(UserError):
            yield told.format(name), edit(scene, changed(index, name, word))


def _other(words: tuple[T, ...], word: str, rng: Rng) -> T:
    others = [one for one in words if one != word]
    return others[int(rng.integers(len(others)))]
