"""Where a concept holds in a scene: the things, or the background, that make it true, and their visual tokens.

Knows scene graphs, masks and concepts; knows nothing about components or what they answer to.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.tableau.concepts import read_concept
from experiments.tableau.recall import recall
from experiments.tableau.render import PatchSet, masks, patches, sign_mask
from experiments.tableau.scene import Scene
from tools.scoring.concept import All, Any, Concept, Not, Phrase, Sum
from tools.stimuli import Stimulus

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
            return either(*(holding(part, scene) for part in parts))
        case All(parts):
            placed = [holding(part, scene) for part in parts if not isinstance(part, Not)]
            barred = [holding(part.of, scene) for part in parts if isinstance(part, Not)]
            together = all(one.strength for one in placed) and not any(one.strength for one in barred)
            if placed:
                return either(*placed) if together else nothing(scene)
    raise ValueError(f"a negation alone has no place in a picture: {concept}")


def region(concept: Concept, scene: Scene) -> PatchSet:
    """The visual tokens of what makes a concept true: of things, and of the background only where no thing does it too.

    In `star & dark background` the background says when, and the star says where. None where the concept does not hold.
    Raises ValueError for a negation that stands alone, UserError for a phrase that speaks of no thing or background.
    """
    return over_patches(_named(concept, scene), scene) > 0


def _named(concept: Concept, scene: Scene) -> Lit:
    match concept:
        case Any(parts):
            return either(*(_named(part, scene) for part in parts))
        case Sum(weighted):
            return either(*(_named(part.of, scene) for part in weighted))
    found = holding(concept, scene)
    return found._replace(ground=0.0) if any(found.things) else found


def region_of(concept: Concept, stimulus: Stimulus) -> PatchSet:
    """The same of a painted picture. Raises UserError for one that is none."""
    return region(concept, recall(stimulus.key).scene)


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


def either(*found: Lit) -> Lit:
    """What is lit in one of them, each part as strongly as in the one where it is strongest."""
    things = zip(*(one.things for one in found), strict=True)
    return Lit(tuple(max(several) for several in things), max(one.ground for one in found))


def nothing(scene: Scene) -> Lit:
    """No part of the scene."""
    return Lit((0.0,) * len(scene.things))
