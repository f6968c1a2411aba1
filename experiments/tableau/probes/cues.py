"""Spurious cues in the embedded world: what comes together in training, put together and taken apart in exact pairs.

Candidates are not told: they are what stands out most in counts over the training distribution. Each is tested by
adding the cue to pictures, the thing asked about staying as it is, beside another thing that is no cue. Accuracies on
items that follow a planted regularity and on items that go against it stand beside them (regularities.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Literal, NamedTuple

import numpy as np

from experiments.audit.survey import Probe, Survey, says, says_right
from experiments.tableau.edit import Reshape, edit
from experiments.tableau.phrases import Phrase
from experiments.tableau.probes.scenes import company, drawn, shapes_in, stimulus, there, with_a
from experiments.tableau.questions import Question
from experiments.tableau.regularities import REGULARITIES, Asked, Regularity, items
from experiments.tableau.sampler import HELD_OUT
from experiments.tableau.scene import BACKGROUNDS, COLORS, SHAPES, Scene, Shape
from store.errors import UserError

CANDIDATES = 5
"""Cues that are tested: the strongest associations of training."""
FAMILIES = ("color", "background", "company")
Family = Literal["color", "background", "company"]
SHOWS_NOT = "It does not show that the cue is used where it agrees with the picture, nor on other pictures."


class Association(NamedTuple):
    """In training things of the shape `cue` go with `word`, by `lift` more often than others do."""

    family: Family
    cue: Shape
    word: str
    lift: float

    @property
    def told(self) -> str:
        what = {
            "color": f"{self.word} {self.cue}s",
            "background": f"a {self.word} background behind {self.cue}s",
            "company": f"a {self.word} beside a {self.cue}",
        }
        return what[self.family]

    @property
    def says(self) -> str:
        """The reply that the cue suggests."""
        return "yes" if self.family == "company" else self.word


def spurious(n: int, seed: int) -> Iterator[Survey]:
    """All surveys of the topic, `n` pictures an arm."""
    for number, association in enumerate(associations()[:CANDIDATES]):
        yield _moved(association, n, seed, number)
    for number, regularity in enumerate(REGULARITIES):
        yield _gap(regularity, n, seed, number)


@lru_cache(maxsize=1)
def associations() -> tuple[Association, ...]:
    """What goes together in the training distribution, strongest first."""
    known = company()
    things = [thing for seen in known.scenes for thing in seen.things]
    found = []
    for cue in SHAPES:
        own = [thing for thing in things if thing.shape == cue]
        others = [thing for thing in things if thing.shape != cue]
        for color in COLORS:
            share = np.mean([one.color == color for one in own]) - np.mean(
                [one.color == color for one in others]
            )
            found.append(Association("color", cue, color, float(share)))
        for ground in BACKGROUNDS:
            lift = known.given(cue, lambda seen, ground=ground: seen.background == ground)  # type: ignore[misc]
            found.append(Association("background", cue, ground, lift))
        for other in SHAPES:
            if other != cue:
                found.append(Association("company", cue, other, known.comes_with(other, cue)))
    return tuple(sorted(found, key=lambda one: -one.lift))


def _moved(found: Association, n: int, seed: int, number: int) -> Survey:
    """The cue added (of colors: a thing turned into it), beside another shape that is no cue of the word."""
    free = _no_cue(found)
    rng = np.random.default_rng([324, seed, number])
    plain: list[Probe] = []
    cued: list[Probe] = []
    beside: list[Probe] = []
    for seen in drawn("check", 40 + number, seed, lambda one: _fits(found, free, one)):
        three = _three(found, free, seen, rng)
        if three is None:
            continue
        for arm, probe in zip((plain, cued, beside), three, strict=True):
            arm.append(probe)
        if len(plain) == n:
            break
    return Survey(
        topic="spurious",
        name=f"cue: {found.told}",
        claim=f"A {found.cue} moves the answer to `{found.says}` against the picture ({found.told} in training)",
        tested=tuple(cued),
        baseline=tuple(plain),
        control=tuple(beside),
        control_baseline=tuple(plain),
        control_is=f"the same for a {free}, which does not go with `{found.word}` in training",
        rival="any thing put there moves the answer",
        shows_not=SHOWS_NOT,
        kind="by exact pairs",
        cue=found.says,
        paired=True,
    )


def _no_cue(found: Association) -> Shape:
    """The shape that goes least with the word, either way."""
    others = [
        one
        for one in associations()
        if (one.family, one.word) == (found.family, found.word) and one.cue not in (found.cue, found.word)
    ]
    return min(others, key=lambda one: abs(one.lift)).cue


def _fits(found: Association, free: Shape, seen: Scene) -> bool:
    shapes = shapes_in(seen)
    if found.family == "color":
        return bool(seen.things) and not {found.cue, free} & shapes
    if found.family == "background" and seen.background == found.word:
        return False
    return len(seen.things) < 4 and not {found.cue, free, found.word} & shapes


def _three(
    found: Association, free: Shape, seen: Scene, rng: np.random.Generator
) -> tuple[Probe, ...] | None:
    """The picture as it is, with the cue, and with the other shape; what is right to say is not the cue's word."""
    if found.family == "color":
        return _turned(found, free, seen, rng)
    with_cue, with_free = with_a(seen, found.cue, rng), with_a(seen, free, rng)
    if with_cue is None or with_free is None:
        return None
    question = there(found.word) if found.family == "company" else Question("background").text()  # type: ignore[arg-type]
    right = "no" if found.family == "company" else seen.background
    return tuple(says(stimulus(one, question, right), found.says) for one in (seen, with_cue, with_free))


def _turned(
    found: Association, free: Shape, seen: Scene, rng: np.random.Generator
) -> tuple[Probe, ...] | None:
    """One thing turned into the cue, or into the other shape, its color staying."""
    order = rng.permutation(len(seen.things)).tolist()
    for index in order:
        thing = seen.things[index]
        alone = sum(one.shape == thing.shape for one in seen.things) == 1
        looks = {(thing.color, found.cue), (thing.color, free)}
        if not alone or thing.color == found.word or looks & HELD_OUT:
            continue
        try:
            turned = [seen, *(edit(seen, Reshape(index, shape)) for shape in (found.cue, free))]
        except UserError:
            continue
        return tuple(
            says(
                stimulus(
                    one, Question("color", Phrase(shape=one.things[index].shape)).text(), str(thing.color)
                ),
                found.says,
            )
            for one in turned
        )
    return None


def _gap(regularity: Regularity, n: int, seed: int, number: int) -> Survey:
    usual = regularity.planted > 0.5

    def right(asked: Asked, case: bool, place: int) -> tuple[Probe, ...]:
        found = islice(items(asked, case, seed, 100 + 2 * number + place), n)
        return tuple(says_right(stimulus(seen, asked.text, asked.truth(seen))) for seen in found)

    return Survey(
        topic="spurious",
        name=f"gap: {regularity.name}",
        claim=f"It answers worse where “{regularity.says}” does not hold",
        tested=right(regularity.asked, usual, 0),
        baseline=right(regularity.asked, not usual, 0),
        control=right(regularity.control, usual, 1),
        control_baseline=right(regularity.control, not usual, 1),
        control_is=f"the same answers where the cue is absent (`{regularity.control.text}`)",
        rival="it prefers these answers whatever is shown",
        shows_not="It does not show which part of the picture makes the difference; the pairs do.",
        unit="accuracy where it holds minus accuracy where not",
    )
