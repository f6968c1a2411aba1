"""Exact pairs: the smallest change after which a concept stops to hold in a scene, or starts to.

Knows concepts and exact edits. Nothing but the named thing, or the background, is touched, and no color–shape pair that
was held out of training comes about unless the concept allows no other. Knows nothing about stimuli (editor.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from math import hypot
from typing import Any, NamedTuple, TypeVar

import numpy as np

from experiments.tableau.concepts import WORDS, Concept, holds
from experiments.tableau.edit import Add, Recolor, Refill, Remove, Reshape, Resize, SetBackground, edit
from experiments.tableau.edit import Change as SceneChange
from experiments.tableau.layout import GAP, MARGIN
from experiments.tableau.phrases import ATTRIBUTES, full
from experiments.tableau.sampler import HELD_OUT, any_thing
from experiments.tableau.scene import BACKGROUNDS, COLORS, SHAPES, SIDE, Scene, Thing
from experiments.tableau.shapes import reach
from store.errors import UserError
from tools.stimuli import Change

T = TypeVar("T")
MOST_THINGS = 4
"""A scene of the world has no more, and the language cannot count further."""
LOOKS, PLACES = 6, 24
"""Things that are tried for an addition, and places for each of them."""


class Altered(NamedTuple):
    """A scene after a change, what was done in words, and the things (old or new) that it touched."""

    scene: Scene
    told: str
    touched: tuple[Thing, ...] = ()


def altered(seen: Scene, concept: Concept, change: Change, rng: np.random.Generator) -> Altered | None:
    """The scene in which the concept stops (`remove`, `swap`) or starts (`add`) to hold; None where that can't be."""
    if holds(concept, seen) == (change == "add"):
        return None
    if concept.background is not None:
        return _on_other_ground(seen, concept, rng)
    found = _of_things(seen, concept, change, rng)
    if found is not None and holds(concept, found.scene) != (change == "add"):
        raise AssertionError(f"{change} left {concept} as it was")
    return found


def _of_things(seen: Scene, concept: Concept, change: Change, rng: np.random.Generator) -> Altered | None:
    match change:
        case "remove":
            return _without(seen, concept)
        case "add":
            return added(seen, concept, rng)
        case "swap":
            return _swapped(seen, concept, rng)


def added(seen: Scene, concept: Concept, rng: np.random.Generator) -> Altered | None:
    """The scene with one more thing that fits the concept, somewhere where there is room for it."""
    if len(seen.things) >= MOST_THINGS:
        return None
    for _ in range(LOOKS):
        thing = fitting(concept, rng)
        if (spot := next(filter(concept.matches, spots(seen, thing, rng)), None)) is not None:
            return Altered(edit(seen, Add(spot)), f"added {full(spot).with_article}", (spot,))
    return None


def fitting(concept: Concept, rng: np.random.Generator) -> Thing:
    """A thing that fits the concept, not yet placed; of a held-out pair only where the concept allows no other."""
    looks = [
        (color, shape)
        for color in COLORS
        for shape in SHAPES
        if color in concept.color and shape in concept.shape
    ]
    color, shape = _pick([look for look in looks if look not in HELD_OUT] or looks, rng)
    more: dict[str, Any] = {
        name: _pick([word for word in WORDS[name] if word in getattr(concept, name)], rng)
        for name in ("size", "fill")
    }
    return replace(any_thing(rng), color=color, shape=shape, **more)


def spots(seen: Scene, thing: Thing, rng: np.random.Generator) -> Iterator[Thing]:
    """The thing at random places of the scene that are free, as far from others as the world's own layouts keep.

    About PLACES are tried.
    """
    free = reach(thing) + MARGIN
    for x, y in rng.uniform(free, SIDE - free, size=(PLACES, 2)).tolist():
        apart = (hypot(x - other.x, y - other.y) - reach(thing) - reach(other) for other in seen.things)
        if all(gap >= GAP for gap in apart):
            placed = replace(thing, x=x, y=y)
            with suppress(UserError):
                edit(seen, Add(placed))
                yield placed


def changed(index: int, attribute: str, word: str) -> SceneChange:
    """The edit that gives thing `index` another word for one attribute."""
    kinds: dict[str, Any] = {"color": Recolor, "shape": Reshape, "fill": Refill, "size": Resize}
    return kinds[attribute](index, word)


def told_of(things: Sequence[Thing]) -> str:
    """The things in words: "the small dotted red star and the large solid blue ring"."""
    return " and ".join(f"the {full(thing)}" for thing in things)


def held_out(thing: Thing) -> bool:
    """Whether no training picture shows a thing of this color and shape."""
    return (thing.color, thing.shape) in HELD_OUT


def _without(seen: Scene, concept: Concept) -> Altered:
    gone = [index for index, thing in enumerate(seen.things) if concept.matches(thing)]
    after = seen
    for index in reversed(gone):
        after = edit(after, Remove(index))
    things = tuple(seen.things[index] for index in gone)
    return Altered(after, f"removed {told_of(things)}", things)


def _swapped(seen: Scene, concept: Concept, rng: np.random.Generator) -> Altered | None:
    """One word of the one matching thing replaced by a word that the concept does not allow."""
    matching = [index for index, thing in enumerate(seen.things) if concept.matches(thing)]
    if len(matching) != 1:
        return None
    before = seen.things[matching[0]]
    for attribute in _shuffled(ATTRIBUTES, rng):
        others = [word for word in WORDS[attribute] if word not in getattr(concept, attribute)]
        for word in _shuffled(others, rng):
            with suppress(UserError):
                after = edit(seen, changed(matching[0], attribute, word))
                thing = after.things[matching[0]]
                if not held_out(thing):
                    told = f"made {told_of([before])} {word} instead of {getattr(before, attribute)}"
                    return Altered(after, told, (before, thing))
    return None


def _on_other_ground(seen: Scene, concept: Concept, rng: np.random.Generator) -> Altered | None:
    """Another background: an allowed one if the present one is not, and the other way round."""
    allowed = concept.background or frozenset()
    inside = seen.background in allowed
    others = [word for word in BACKGROUNDS if (word in allowed) != inside]
    if not others:
        return None
    word = _pick(others, rng)
    after = edit(seen, SetBackground(word))
    return Altered(after, f"made the background {word} instead of {seen.background}")


def _pick(options: Sequence[T], rng: np.random.Generator) -> T:
    return options[int(rng.integers(len(options)))]


def _shuffled(options: Sequence[T], rng: np.random.Generator) -> list[T]:
    return [options[index] for index in rng.permutation(len(options))]
