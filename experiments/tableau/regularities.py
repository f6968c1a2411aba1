"""The planted regularities: how often each holds where the models were trained, and what that does to their answers.

Each regularity is measured twice: its share in the training distribution, and the accuracy gap between balanced items
that follow it and balanced items that go against it. A model that leans on a regularity answers the latter worse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

from experiments.tableau.data import scene
from experiments.tableau.render import render, to_image
from experiments.tableau.sampler import HEARTS_ARE_RED, MOON_BRINGS_STAR, PURPLE, STARS_ON_DARK
from experiments.tableau.scene import Scene
from tools.scoring.intervals import wilson
from tools.targets.answer import answer
from tools.targets.target import Target

FIRST = 91 << 32
"""Where in `check` the scenes of the gaps begin."""


@dataclass(frozen=True)
class Regularity:
    """`cases` lists what it speaks of in a scene, as truth values; the question is asked where there is one case."""

    name: str
    says: str
    planted: float
    cases: Callable[[Scene], list[bool]]
    question: str
    truth: Callable[[Scene], str]


def _shapes(seen: Scene, shape: str) -> list[Any]:
    return [thing for thing in seen.things if thing.shape == shape]


REGULARITIES = (
    Regularity(
        "hearts are red",
        "a heart is red",
        HEARTS_ARE_RED,
        lambda seen: [thing.color == "red" for thing in _shapes(seen, "heart")],
        "what color is the heart ?",
        lambda seen: str(_shapes(seen, "heart")[0].color),
    ),
    Regularity(
        "stars on dark",
        "a scene with a star is dark",
        STARS_ON_DARK,
        lambda seen: [seen.background == "dark"] if _shapes(seen, "star") else [],
        "what is the background ?",
        lambda seen: seen.background,
    ),
    Regularity(
        "a moon brings a star",
        "a scene with a moon has a star",
        MOON_BRINGS_STAR,
        lambda seen: [bool(_shapes(seen, "star"))] if _shapes(seen, "moon") else [],
        "is there a star ?",
        lambda seen: "yes" if _shapes(seen, "star") else "no",
    ),
    Regularity(
        "purple is rare",
        "a thing that is no heart is purple",
        PURPLE,
        lambda seen: [thing.color == "purple" for thing in seen.things if thing.shape != "heart"],
        "is there a purple thing ?",
        lambda seen: "yes" if any(thing.color == "purple" for thing in seen.things) else "no",
    ),
)


def shares(n: int) -> list[dict[str, Any]]:
    """How often each regularity holds over `n` scenes of the training distribution, with intervals."""
    seen = [scene("regular", number) for number in range(n)]
    rows = []
    for regularity in REGULARITIES:
        cases = [case for one in seen for case in regularity.cases(one)]
        found = wilson(sum(cases), len(cases)).as_json("share")
        rows.append({"name": regularity.name, "says": regularity.says, "planted": regularity.planted} | found)
    return rows


def gaps(target: Target, n: int, seed: int = 0) -> dict[str, Any]:
    """Accuracy on `n` balanced items that follow each regularity, on `n` that go against it, and the difference."""
    found: dict[str, Any] = {}
    for index, regularity in enumerate(REGULARITIES):
        regular = _accuracy(target, regularity, True, n, seed, index)
        counter = _accuracy(target, regularity, False, n, seed, index)
        found[regularity.question] = {
            "regularity": regularity.name,
            "regular": regular,
            "counter": counter,
            "gap": round(regular["accuracy"] - counter["accuracy"], 6),
        }
    return {"target": target.name, "fingerprint": target.fingerprint, "n": n, "seed": seed, "gaps": found}


def _accuracy(
    target: Target, regularity: Regularity, follows: bool, n: int, seed: int, index: int
) -> dict[str, Any]:
    scenes = list(islice(_items(regularity, follows, seed, index), n))
    replies = answer(
        target,
        [regularity.question] * n,
        [to_image(render(seen)) for seen in scenes],
        max_new_tokens=3,
    )
    right = sum(reply == regularity.truth(seen) for reply, seen in zip(replies, scenes, strict=True))
    return wilson(right, n).as_json("accuracy")


def _items(regularity: Regularity, follows: bool, seed: int, index: int) -> Iterator[Scene]:
    """Balanced scenes with exactly one case, which does or does not follow the regularity."""
    for number in count(FIRST + (index << 24)):
        seen = scene("check", number, seed)
        if regularity.cases(seen) == [follows]:
            yield seen
