"""Triples for an editor to learn from: a scene, an instruction in several wordings, and the exact scene after it.

Knows which edits there are and how people ask for them; every wording is one that instructions.py or, for drawing on
the empty canvas, prompt.py understands. Knows nothing about pixels. No color–shape pair that is held out of training
comes about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Literal, NamedTuple, TypeVar, get_args

import numpy as np

from experiments.tableau.instructions import follow
from experiments.tableau.pairing import held_out
from experiments.tableau.phrases import VALUES, Phrase, census, find, full, shortenings
from experiments.tableau.prompt import painted_wish, read_prompt
from experiments.tableau.questions import NUMBERS, RELATIONS
from experiments.tableau.sampler import any_thing, sample
from experiments.tableau.scene import BACKGROUNDS, Light, Scene
from store.errors import UserError
from tools.scoring.narrowing import PLACES

EditKind = Literal["color", "shape", "fill", "size", "remove", "add", "background", "draw"]
EDIT_KINDS: tuple[EditKind, ...] = get_args(EditKind)
KIND_SHARES = (0.17, 0.17, 0.14, 0.09, 0.13, 0.13, 0.09, 0.08)
"""How often each kind is asked for, in the order of EDIT_KINDS."""
CANVAS = Scene("light")
"""What is drawn on. A drawing whose prompt names no background stays on it."""
COUNTS = (0.3, 0.35, 0.25, 0.1)
"""How often a drawing shows 1, 2, 3, 4 things."""
ATTEMPTS = 20

T = TypeVar("T")
Rng = np.random.Generator


class Triple(NamedTuple):
    """`wordings` all ask for the same: to make `after` of `before`."""

    kind: EditKind
    before: Scene
    wordings: tuple[str, ...]
    after: Scene


def triples(seed: int, stream: int, each: int) -> Iterator[Triple]:
    """Up to `each` edits of the balanced scene with this seed and stream, the same ones every time."""
    rng = np.random.default_rng([stream, seed, 2])
    seen = sample(seed, "balanced", stream)
    for _ in range(each):
        kind = EDIT_KINDS[int(rng.choice(len(EDIT_KINDS), p=KIND_SHARES))]
        if (found := triple(seen, kind, rng)) is not None:
            yield found


def triple(seen: Scene, kind: EditKind, rng: Rng) -> Triple | None:
    """An edit of this kind (the canvas stands in for the scene in a drawing); None where the scene allows none."""
    for _ in range(ATTEMPTS):
        with suppress(UserError):
            if kind == "draw":
                return _drawn(rng)
            wordings = _ASKED[kind](seen, rng)
            after = follow(seen, wordings[0], rng).scene
            if not any(held_out(thing) for thing in set(after.things) - set(seen.things)):
                return Triple(kind, seen, wordings, after)
    return None


def _change(attribute: str) -> Callable[[Scene, Rng], tuple[str, ...]]:
    def asked(seen: Scene, rng: Rng) -> tuple[str, ...]:
        index = _any_index(seen, rng)
        others = [word for word in VALUES[attribute] if word != getattr(seen.things[index], attribute)]
        thing, word = description(seen, index, rng), _pick(others, rng)
        if attribute == "shape":
            return (
                f"turn the {thing} into {_a(word)}",
                f"make the {thing} {_a(word)}",
                f"change the {thing} to {_a(word)}",
                f"change the {thing} into {_a(word)}",
            )
        usual = (f"make the {thing} {word}", f"turn the {thing} {word}", f"change the {thing} to {word}")
        return (*usual, f"color the {thing} {word}", f"paint the {thing} {word}")[
            : 5 if attribute == "color" else 3
        ]

    return asked


def _removal(seen: Scene, rng: Rng) -> tuple[str, ...]:
    thing = description(seen, _any_index(seen, rng), rng)
    return tuple(f"{verb} the {thing}" for verb in ("remove", "delete", "take away", "erase"))


def _addition(seen: Scene, rng: Rng) -> tuple[str, ...]:
    thing = _some(any_phrase(rng), rng).with_article
    where = rng.random()
    if where < 0.3:
        thing = f"{thing} in the {_pick(PLACES, rng)}"
    elif where < 0.6 and seen.things:
        other = description(seen, _any_index(seen, rng), rng)
        thing = f"{thing} {_pick(RELATIONS, rng)} the {other}"
    return tuple(f"{verb} {thing}" for verb in ("add", "put in", "draw"))


def _other_ground(seen: Scene, rng: Rng) -> tuple[str, ...]:
    word = _pick([ground for ground in BACKGROUNDS if ground != seen.background], rng)
    return (
        f"make the background {word}",
        f"change the background to {word}",
        f"set the background to {word}",
        f"put it on {_a(word)} background",
        f"put everything on {_a(word)} background",
        f"use {_a(word)} background",
        f"give it {_a(word)} background",
    )


_ASKED: dict[EditKind, Callable[[Scene, Rng], tuple[str, ...]]] = {
    "color": _change("color"),
    "shape": _change("shape"),
    "fill": _change("fill"),
    "size": _change("size"),
    "remove": _removal,
    "add": _addition,
    "background": _other_ground,
}


def _drawn(rng: Rng) -> Triple:
    """A drawing of some things on the canvas, or on a background that is named."""
    things = [_some(any_phrase(rng), rng) for _ in range(1 + int(rng.choice(len(COUNTS), p=COUNTS)))]
    named = [thing.with_article for thing in things]
    if len(things) > 1 and rng.random() < 0.15:
        named = [f"{NUMBERS[len(things)]} {things[0].plural}"]
    listed = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
    ground = rng.random() < 0.7
    prompt = f"{listed} on {_a(_pick(BACKGROUNDS, rng))} background" if ground else listed
    after = painted(prompt, rng)
    return Triple("draw", CANVAS, (f"draw {prompt}", f"draw a picture of {prompt}", f"paint {prompt}"), after)


def painted(prompt: str, rng: Rng) -> Scene:
    """A scene as the prompt says; on the canvas where it names no background."""
    wish = read_prompt(prompt)
    if len(wish.backgrounds) == 1:
        return painted_wish(wish, rng)
    after = painted_wish(replace(wish, backgrounds=(CANVAS.background,)), rng)
    return replace(after, light=Light(), texture=CANVAS.texture)


def any_phrase(rng: Rng) -> Phrase:
    """Everything that could be said of a thing as the balanced world draws it."""
    return full(any_thing(rng))


def _some(phrase: Phrase, rng: Rng) -> Phrase:
    """Part of what a phrase says: always the shape, mostly the color, the rest half of the time."""
    return Phrase(
        phrase.size if rng.random() < 0.5 else None,
        phrase.fill if rng.random() < 0.5 else None,
        phrase.color if rng.random() < 0.85 else None,
        phrase.shape,
    )


def description(seen: Scene, index: int, rng: Rng) -> Phrase:
    """A phrase that fits this thing alone, with as many words as that takes or a few more.

    Raises UserError of kind "instruction" where no words tell it from the others.
    """
    known = census(seen)
    unique = [phrase for phrase in shortenings(full(seen.things[index])) if known[phrase] == 1]
    usual = [phrase for phrase in unique if phrase.shape]
    if not unique:
        raise UserError("nothing tells the thing from the others", kind="instruction", hint="ask for another")
    chosen = _pick(usual if usual and rng.random() < 0.8 else unique, rng)
    assert find(chosen, seen) == (index,)
    return chosen


def _any_index(seen: Scene, rng: Rng) -> int:
    if not seen.things:
        raise UserError("the scene shows nothing", kind="instruction", hint="add something first")
    return int(rng.integers(len(seen.things)))


def _a(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def _pick(options: Sequence[T], rng: Rng) -> T:
    return options[int(rng.integers(len(options)))]
