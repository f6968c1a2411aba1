"""The planted regularities: how often each holds where the models were trained, and what that does to their answers.

Each is measured twice: its share in the training distribution, and the gap between the accuracy on balanced items that
follow it and on balanced items that go against it. A model that leans on a regularity answers the latter worse. The
answers on the two sides differ ("red" against other colors), and a model may prefer some answers for other reasons;
so each gap stands beside a control: the same split of answers asked where the cue is absent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

from experiments.tableau.data import scene
from experiments.tableau.phrases import Phrase
from experiments.tableau.render import render, to_image
from experiments.tableau.sampler import HEARTS_ARE_RED, MOON_BRINGS_STAR, PURPLE, STARS_ON_DARK
from experiments.tableau.scene import Color, Scene, Shape, Thing
from store.values import Estimate
from tools.scoring.intervals import difference, wilson
from tools.targets.answer import answer
from tools.targets.target import Target

FIRST = 91 << 32
"""Where in `check` the scenes of the gaps begin."""

Cases = Callable[[Scene], list[bool]]
"""Every case of something in a scene, and whether it is as the regularity says."""


@dataclass(frozen=True)
class Asked:
    """A question that has one right answer wherever there is exactly one case."""

    text: str
    cases: Cases
    truth: Callable[[Scene], str]


@dataclass(frozen=True)
class Regularity:
    """`planted` is the probability of a case; below one half, the case is what is rare. `control` lacks the cue.

    `counted` lists the cases of the training distribution where they are not those that the question is about.
    """

    name: str
    says: str
    planted: float
    asked: Asked
    control: Asked
    counted: Cases | None = None


def _of(seen: Scene, shape: Shape) -> list[Thing]:
    return [thing for thing in seen.things if thing.shape == shape]


def _color_of(shape: Shape) -> Asked:
    return Asked(
        f"what color is the {shape} ?",
        lambda seen: [thing.color == "red" for thing in _of(seen, shape)],
        lambda seen: str(_of(seen, shape)[0].color),
    )


def _dark(*, with_star: bool) -> Asked:
    return Asked(
        "what is the background ?",
        lambda seen: [seen.background == "dark"] if bool(_of(seen, "star")) == with_star else [],
        lambda seen: seen.background,
    )


def _star(*, with_moon: bool) -> Asked:
    return Asked(
        "is there a star ?",
        lambda seen: [bool(_of(seen, "star"))] if bool(_of(seen, "moon")) == with_moon else [],
        lambda seen: "yes" if _of(seen, "star") else "no",
    )


def _any_thing(color: Color) -> Asked:
    return Asked(
        f"is there {Phrase(color=color).with_article} ?",
        lambda seen: [any(thing.color == color for thing in seen.things)],
        lambda seen: "yes" if any(thing.color == color for thing in seen.things) else "no",
    )


def _purple(seen: Scene) -> list[bool]:
    return [thing.color == "purple" for thing in seen.things if thing.shape != "heart"]


REGULARITIES = (
    Regularity(
        "hearts are red", "a heart is red", HEARTS_ARE_RED, _color_of("heart"), control=_color_of("square")
    ),
    Regularity(
        "stars on dark",
        "a scene with a star is dark",
        STARS_ON_DARK,
        _dark(with_star=True),
        control=_dark(with_star=False),
    ),
    Regularity(
        "a moon brings a star",
        "a scene with a moon has a star",
        MOON_BRINGS_STAR,
        _star(with_moon=True),
        control=_star(with_moon=False),
    ),
    Regularity(
        "purple is rare",
        "a thing that is no heart is purple",
        PURPLE,
        _any_thing("purple"),
        control=_any_thing("green"),
        counted=_purple,
    ),
)


def shares(n: int) -> list[dict[str, Any]]:
    """How often each case holds over `n` scenes of the regular distribution, with intervals."""
    seen = [scene("regular", number) for number in range(n)]
    rows = []
    for regularity in REGULARITIES:
        cases = [case for one in seen for case in (regularity.counted or regularity.asked.cases)(one)]
        found = wilson(sum(cases), len(cases)).as_json("share")
        rows.append({"name": regularity.name, "says": regularity.says, "planted": regularity.planted} | found)
    return rows


def gaps(target: Target, n: int, seed: int = 0) -> dict[str, Any]:
    """Accuracy on `n` balanced items that follow each regularity and on `n` that go against it, and the control's."""
    found: dict[str, Any] = {}
    for index, regularity in enumerate(REGULARITIES):
        usual = regularity.planted > 0.5
        found[regularity.name] = {
            "question": regularity.asked.text,
            "asked": _gap(target, regularity.asked, usual, n, seed, 2 * index),
            "control": _gap(target, regularity.control, usual, n, seed, 2 * index + 1),
        }
    return {"target": target.name, "fingerprint": target.fingerprint, "n": n, "seed": seed, "gaps": found}


def _gap(target: Target, asked: Asked, usual: bool, n: int, seed: int, index: int) -> dict[str, Any]:
    """Accuracies where the case is as usual and where it is not, and their difference."""
    regular = _accuracy(target, asked, usual, n, seed, index)
    counter = _accuracy(target, asked, not usual, n, seed, index)
    return {
        "regular": regular.as_json("accuracy"),
        "counter": counter.as_json("accuracy"),
        "gap": difference(regular, counter).as_json(),
    }


def _accuracy(target: Target, asked: Asked, case: bool, n: int, seed: int, index: int) -> Estimate:
    scenes = list(islice(items(asked, case, seed, index), n))
    pictures = [to_image(render(seen)) for seen in scenes]
    replies = answer(target, [asked.text] * n, pictures, max_new_tokens=3)
    right = sum(reply == asked.truth(seen) for reply, seen in zip(replies, scenes, strict=True))
    return wilson(right, n)


def items(asked: Asked, case: bool, seed: int, index: int) -> Iterator[Scene]:
    """Balanced scenes with exactly one case, which is as asked for."""
    for number in count(FIRST + (index << 24)):
        seen = scene("check", number, seed)
        if asked.cases(seen) == [case]:
            yield seen
