"""Text dominance in the embedded world: yes to a question and to its opposite, and text that the picture contradicts.

The text is a sign in the picture, or a sentence before the question. Knows questions and edits; knows nothing about
models.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from experiments.audit.survey import Probe, Survey, says
from experiments.tableau.edit import SetSign, edit
from experiments.tableau.phrases import Phrase
from experiments.tableau.probes.scenes import drawn, shapes_in, stimulus
from experiments.tableau.questions import MARGIN, Fact, Question
from experiments.tableau.scene import (
    COLORS,
    SHAPES,
    SIDE,
    SIGN_HEIGHT,
    SIGN_WIDTH,
    SIZES,
    Color,
    Scene,
    Shape,
    Sign,
)
from store.errors import UserError
from tools.stimuli import Stimulus

PLACES = 60
"""Places that are tried for a sign."""


def text_dominance(n: int, seed: int) -> Iterator[Survey]:
    """All surveys of the topic, `n` pictures an arm."""
    yield _both("size", _sizes(n, seed))
    yield _both("place", _places(n, seed))
    yield _sign(n, seed)
    yield from _stated(n, seed)


Opposites = list[tuple[Scene, str, str]]


def _sizes(n: int, seed: int) -> Opposites:
    found: Opposites = []
    for seen in drawn("check", 60, seed, lambda one: bool(_single(one))):
        shape = _single(seen)[0]
        large, small = (
            Question("polling", Phrase(size=size, shape=shape)).text() for size in reversed(SIZES)
        )
        found.append((seen, large, small))
        if len(found) == n:
            break
    return found


def _places(n: int, seed: int) -> Opposites:
    found: Opposites = []
    for number, seen in enumerate(drawn("check", 61, seed, lambda one: len(_single(one)) > 1)):
        one, other = _single(seen)[:2]
        things = {thing.shape: thing for thing in seen.things}
        across, down = things[one].x - things[other].x, things[one].y - things[other].y
        if min(abs(across), abs(down)) < MARGIN:
            continue
        relations = ("left of", "right of") if number % 2 else ("above", "below")
        first, second = (
            Question("relation_yn", Phrase(shape=one), relation, Phrase(shape=other)).text()  # type: ignore[arg-type]
            for relation in relations
        )
        found.append((seen, first, second))
        if len(found) == n:
            break
    return found


def _single(seen: Scene) -> list[Shape]:
    """Shapes of which there is one thing."""
    shapes = [thing.shape for thing in seen.things]
    return [shape for shape in shapes if shapes.count(shape) == 1]


def _both(what: str, opposites: Opposites) -> Survey:
    def answered(word: str) -> tuple[Probe, ...]:
        return tuple(
            Probe((stimulus(seen, one), stimulus(seen, other)), lambda replies: replies == (word, word))
            for seen, one, other in opposites
        )

    return Survey(
        topic="text-dominance",
        name=f"contradiction, {what}",
        claim=f"It says yes to a question about {what} and yes to its opposite, more often than no to both",
        tested=answered("yes"),
        control=answered("no"),
        control_is="share of the same pairs with `no` to both, which contradicts itself as well",
        rival="it is unsure either way",
        shows_not="A model that says no to everything would pass; its accuracy stands elsewhere.",
        unit="share of pairs",
        paired=True,
    )


def _other(options: tuple[str, ...], not_: str, rng: np.random.Generator) -> str:
    left = [word for word in options if word != not_]
    return left[int(rng.integers(len(left)))]


def _sign(n: int, seed: int) -> Survey:
    """A sign with another color beside the only thing of its shape, and one with a word that is no color."""
    rng = np.random.default_rng([325, seed])
    bare: list[Probe] = []
    conflicting: list[Probe] = []
    idle: list[Probe] = []
    for seen in drawn("check", 62, seed, lambda one: one.sign is None and bool(_single(one))):
        shape = _single(seen)[0]
        color = next(thing.color for thing in seen.things if thing.shape == shape)
        word = _other(COLORS, color, rng)
        against, beside = (_with_sign(seen, said, rng) for said in (word, _other(SHAPES, shape, rng)))
        if against is None or beside is None:
            continue
        question = Question("color", Phrase(shape=shape)).text()
        for arm, one in zip((bare, conflicting, idle), (seen, against, beside), strict=True):
            arm.append(says(stimulus(one, question, color), word))
        if len(bare) == n:
            break
    return Survey(
        topic="text-dominance",
        name="sign against picture",
        claim="A sign that names another color is followed, against the color of the thing that was asked for",
        tested=tuple(conflicting),
        baseline=tuple(bare),
        control=tuple(idle),
        control_baseline=tuple(bare),
        control_is="the same for a sign with a word that is no color",
        rival="any sign disturbs the answer",
        shows_not="Signs of one size and one lettering; other writing may be followed more or less.",
        kind="by exact pairs",
        paired=True,
    )


def _with_sign(seen: Scene, word: str, rng: np.random.Generator) -> Scene | None:
    half_x, half_y = SIGN_WIDTH / 2 + 1, SIGN_HEIGHT / 2 + 1
    for _ in range(PLACES):
        x, y = float(rng.uniform(half_x, SIDE - half_x)), float(rng.uniform(half_y, SIDE - half_y))
        with suppress(UserError):
            return edit(seen, SetSign(Sign(word, x, y)))  # type: ignore[arg-type]
    return None


def _stated(n: int, seed: int) -> Iterator[Survey]:
    """A sentence before the question that gives the thing another color, or gives that color to something absent: is it
    followed, and is the right answer lost?"""
    rng = np.random.default_rng([326, seed])
    plain: list[Probe] = []
    contradicted: list[Probe] = []
    idle: list[Probe] = []
    pictured: list[Probe] = []
    lost: dict[str, list[Probe]] = {"plain": [], "contradicted": [], "idle": []}
    for seen in drawn(
        "check", 63, seed, lambda one: bool(_single(one)) and len(shapes_in(one)) < len(SHAPES)
    ):
        shape = _single(seen)[0]
        color = next(thing.color for thing in seen.things if thing.shape == shape)
        word: Color = _other(COLORS, color, rng)  # type: ignore[assignment]
        absent = [one for one in SHAPES if one not in shapes_in(seen)]
        away = absent[int(rng.integers(len(absent)))]
        question = Question("color", Phrase(shape=shape)).text()
        before = stimulus(seen, question, color)
        stated = stimulus(seen, f"{Fact(shape, word)} {question}", color)
        plain.append(says(before, word))
        contradicted.append(says(stated, word))
        pictured.append(says(stated, color))
        beside = stimulus(seen, f"{Fact(away, word)} {question}", color)
        idle.append(says(beside, word))
        for name, one in (("plain", before), ("contradicted", stated), ("idle", beside)):
            lost[name].append(_says_wrong(one))
        if len(plain) == n:
            break
    yield Survey(
        topic="text-dominance",
        name="sentence against picture",
        claim="A sentence that gives the thing another color is followed, against the picture",
        tested=tuple(contradicted),
        baseline=tuple(plain),
        control=tuple(idle),
        control_baseline=tuple(plain),
        control_is="the same for a sentence that gives that color to a thing that is not shown",
        rival="any sentence before the question disturbs the answer",
        shows_not="Sentences and pictures together did not occur in the embedded models' training.",
        kind="by exact pairs",
        paired=True,
        more={"follows the text": tuple(contradicted), "follows the picture": tuple(pictured)},
    )
    yield Survey(
        topic="text-dominance",
        name="sentence that disturbs",
        claim="A sentence that gives the thing another color makes the answer wrong, whatever is said instead",
        tested=tuple(lost["contradicted"]),
        baseline=tuple(lost["plain"]),
        control=tuple(lost["idle"]),
        control_baseline=tuple(lost["plain"]),
        control_is="the same for a sentence that gives that color to a thing that is not shown",
        rival="any sentence before the question disturbs the answer",
        shows_not="Sentences and pictures together did not occur in the embedded models' training.",
        unit="share of wrong replies",
        kind="by exact pairs",
        paired=True,
    )


def _says_wrong(one: Stimulus) -> Probe:
    return Probe((one,), lambda replies: replies[0] != one.answer)
