"""What a function unit makes of a scene: how strongly it answers to each thing, and to the background.

Knows scene graphs and the meaning of each kind; knows nothing of noise, pools or stimuli (function_units.py). A scene
that does not fulfil the concept lights nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.bench.kinds import COUNTED, QUARTERS, FunctionUnit
from experiments.tableau.concepts import read_concept
from experiments.tableau.render import PatchSet, masks, patches, sign_mask
from experiments.tableau.scene import SIDE, Scene, Thing
from tools.scoring.concept import All, Any, Concept, Not, Phrase, read

OPEN = 0.75
"""Share of a patch that must be background to belong to it."""

Strengths = Float[np.ndarray, "patch"]


class Lit(NamedTuple):
    """How strongly, from 0 to 1, each thing of a scene and its background are answered to."""

    things: tuple[float, ...]
    ground: float = 0.0

    @property
    def strength(self) -> float:
        """Of the whole scene: that of its strongest part."""
        return max((*self.things, self.ground))

    def times(self, share: float) -> Lit:
        return Lit(tuple(share * one for one in self.things), share * self.ground)


def lit(unit: FunctionUnit, scene: Scene) -> Lit:
    """What the unit answers to. Noise and dead units answer to nothing in a scene."""
    match unit.kind:
        case "noise" | "dead":
            return _nothing(scene)
        case "two_faced":
            first, second = _parts(unit.concept)
            return _either(holding(first, scene), holding(second, scene).times(unit.weaker))
        case "gated":
            seen, gate = _parts(unit.concept)
            return holding(seen, scene) if holding(gate, scene).strength else _nothing(scene)
        case "count":
            found = holding(Phrase(unit.concept.removeprefix(COUNTED)), scene)
            return found if sum(found.things) >= 2 else _nothing(scene)
        case "exception":
            found = holding(read(unit.concept), scene)
            return Lit(
                tuple(
                    one * (not excepted(unit.exception, thing))
                    for one, thing in zip(found.things, scene.things, strict=True)
                )
            )
    return holding(read(unit.concept), scene)


def holding(concept: Concept, scene: Scene) -> Lit:
    """The parts of a scene that make a concept true: none where it does not hold.

    Of alternatives those of each that holds; of things that must come together, those of all of them. A negation must
    hold beside something that has a place: raises ValueError for one that stands alone.
    """
    match concept:
        case Phrase(words):
            meant = read_concept(words)
            if meant.background is not None:
                return Lit((0.0,) * len(scene.things), float(scene.background in meant.background))
            return Lit(tuple(float(meant.matches(thing)) for thing in scene.things))
        case Any(parts):
            return _either(*(holding(part, scene) for part in parts))
        case All(parts):
            placed = [holding(part, scene) for part in parts if not isinstance(part, Not)]
            barred = [holding(part.of, scene) for part in parts if isinstance(part, Not)]
            together = all(one.strength for one in placed) and not any(one.strength for one in barred)
            if placed:
                return _either(*placed) if together else _nothing(scene)
    raise ValueError(f"a negation alone has no place in a picture: {concept}")


def excepted(exception: str, thing: Thing) -> bool:
    """Whether a thing is of what the exception names: a quarter of the picture by its center, or how it looks."""
    if exception in QUARTERS:
        row, column = exception.split()
        return (thing.y < SIDE / 2) == (row == "upper") and (thing.x < SIDE / 2) == (column == "left")
    return read_concept(exception).matches(thing)


def over_patches(found: Lit, scene: Scene) -> Strengths:
    """The strength at each visual token."""
    lying = _lying(scene)
    strengths = np.where(lying.ground, found.ground, 0.0)
    for strength, where in zip(found.things, lying.things, strict=True):
        strengths[where] = np.maximum(strengths[where], strength)
    return strengths


class Lying(NamedTuple):
    """The visual tokens of each thing, and those that show nothing but background."""

    things: tuple[PatchSet, ...]
    ground: PatchSet


@lru_cache(maxsize=4096)
def _lying(scene: Scene) -> Lying:
    drawn = masks(scene)
    covered = drawn.any(axis=0) | sign_mask(scene)
    return Lying(tuple(patches(one) for one in drawn), patches(~covered, OPEN))


def _parts(concept: str) -> tuple[Concept, Concept]:
    """The two parts of a combination, in the order of its words."""
    match read(concept):
        case All((first, second)) | Any((first, second)):
            return first, second
    raise ValueError(f"`{concept}` does not join two concepts")


def _either(*found: Lit) -> Lit:
    things = zip(*(one.things for one in found), strict=True)
    return Lit(tuple(max(several) for several in things), max(one.ground for one in found))


def _nothing(scene: Scene) -> Lit:
    return Lit((0.0,) * len(scene.things))
