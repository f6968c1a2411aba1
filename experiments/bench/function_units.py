"""Function units: virtual components that answer for real addresses, with values computed from the scene graph.

A unit's map over the picture is high on the patches of the things that its concept speaks of, where the concept holds,
and low noise elsewhere; pools are taken of that map, as a model's are. At question and answer tokens there is noise
alone. Everything else about an address (weights, what cutting it does) is still the host unit's. Edited and made
pictures work too: a stimulus's key tells its scene. Knows what values are; drawing.py decides which units there are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float32

from experiments.tableau.concepts import read_concept
from experiments.tableau.recall import recall
from experiments.tableau.render import PatchSet, masks, patches, sign_mask
from experiments.tableau.scene import GRID, Scene
from store.address import Address
from tools.activations import ActivationSource
from tools.pools import POOLS
from tools.scoring.concept import All, Any, Concept, Phrase, read
from tools.stimuli import Stimulus

Kind = Literal["single", "and", "or", "noise", "dead"]
KINDS: tuple[Kind, ...] = ("single", "and", "or", "noise", "dead")
NOISE = 0.06
"""Standard deviation at every token, as a share of the unit's peak."""
FAINTEST = 0.7
"""A unit's answer to a picture lies between this share of its peak and all of it."""
BUMP_RATE = 0.3
"""Share of pictures in which a noise unit is high somewhere: as often as a color is there."""
BUMP = 3
"""Patches along a side of the place where it is."""
OPEN = 0.75
"""Share of a patch that must be background to belong to it."""
CONSTANT = 0.3
"""What a dead unit says of everything, as a share of its peak."""

Map = Float32[np.ndarray, "patch"]


@dataclass(frozen=True, slots=True)
class FunctionUnit:
    """`concept` is empty for noise and dead units; `peak` is in the unit's own, arbitrary measure."""

    address: Address
    kind: Kind
    concept: str
    peak: float
    seed: int


class FunctionUnits:
    """An ActivationSource that answers for its units, and asks the host for all others.

    A stimulus that is shown to function units alone counts as one row, as it would have been in a model.
    """

    def __init__(self, host: ActivationSource, units: Sequence[FunctionUnit]) -> None:
        self.host = host
        self.units = {unit.address: unit for unit in units}
        self._rows = 0

    @property
    def forwards(self) -> int:
        return self.host.forwards + self._rows

    def pooled(
        self, addresses: Sequence[Address], stimuli: Sequence[Stimulus], /
    ) -> Float32[np.ndarray, "pool stimulus component"]:
        """Raises UserError of kind "stimulus" for a picture that is not of the painted world."""
        found = np.full((len(POOLS), len(stimuli), len(addresses)), np.nan, np.float32)
        real = [column for column, address in enumerate(addresses) if address not in self.units]
        if real:
            found[:, :, real] = self.host.pooled([addresses[column] for column in real], stimuli)
        else:
            self._rows += len(stimuli)
        own = [column for column, address in enumerate(addresses) if address in self.units]
        for row, stimulus in enumerate(stimuli):
            for column in own:
                found[:, row, column] = _pools(self.units[addresses[column]], stimulus)
        return found

    def maps(
        self, address: Address, stimuli: Sequence[Stimulus], /
    ) -> Float32[np.ndarray, "stimulus rows columns"]:
        if address not in self.units:
            return self.host.maps(address, stimuli)
        self._rows += len(stimuli)
        found = [over_picture(self.units[address], stimulus) for stimulus in stimuli]
        return np.array(found, np.float32).reshape(len(stimuli), GRID, GRID)


def over_picture(unit: FunctionUnit, stimulus: Stimulus) -> Map:
    """A unit's activation at each visual token. It depends on the picture alone: questions come after it."""
    if unit.kind == "dead":
        return np.full(GRID * GRID, CONSTANT * unit.peak, np.float32)
    chance = _chance(unit, _picture(stimulus))
    values = NOISE * chance.standard_normal(GRID * GRID)
    high = FAINTEST + (1 - FAINTEST) * chance.random()
    where = _bump(chance) if unit.kind == "noise" else _matching(unit.concept, stimulus.key)
    values[where] += high
    return (unit.peak * values).astype(np.float32)


def region(concept: Concept, scene: Scene) -> PatchSet:
    """The visual tokens that make a concept true: none where it does not hold.

    Of alternatives those of each that holds; of things that must come together, those of all of them.
    """
    match concept:
        case Phrase(words):
            return _region_of(words, scene)
        case Any(parts):
            return np.logical_or.reduce([region(part, scene) for part in parts])
        case All(parts):
            found = [region(part, scene) for part in parts]
            together = all(one.any() for one in found)
            return np.logical_or.reduce(found) if together else np.zeros(GRID * GRID, np.bool_)
    raise ValueError(f"a concept with a negation has no place in a picture: {concept}")


def _region_of(words: str, scene: Scene) -> PatchSet:
    concept = read_concept(words)
    lying = _lying(scene)
    if concept.background is not None:
        return lying.ground & (scene.background in concept.background)
    places = [lying.things[i] for i, thing in enumerate(scene.things) if concept.matches(thing)]
    return np.logical_or.reduce(places) if places else np.zeros(GRID * GRID, np.bool_)


class Lying(NamedTuple):
    """The visual tokens of each thing, and those that show nothing but background."""

    things: tuple[PatchSet, ...]
    ground: PatchSet


@lru_cache(maxsize=4096)
def _lying(scene: Scene) -> Lying:
    drawn = masks(scene)
    covered = drawn.any(axis=0) | sign_mask(scene)
    return Lying(tuple(patches(one) for one in drawn), patches(~covered, OPEN))


@lru_cache(maxsize=1 << 17)
def _matching(concept: str, key: str) -> PatchSet:
    bare = str(recall(key).key.bare)
    return region(read(concept), recall(key).scene) if bare == key else _matching(concept, bare)


def _pools(unit: FunctionUnit, stimulus: Stimulus) -> Float32[np.ndarray, "pool"]:
    """By POOLS; NaN where there are no tokens."""
    values = over_picture(unit, stimulus)
    found = [values.max(), values.min(), values.mean(dtype=np.float64), np.nan, np.nan, np.nan]
    if unit.address.tower == "language":
        found[3:] = _over_words(unit, stimulus)
    return np.array(found, np.float32)


def _over_words(unit: FunctionUnit, stimulus: Stimulus) -> list[float]:
    """The largest and smallest value at the question's words, and the value at the answer."""
    words = len(stimulus.question.split())
    if unit.kind == "dead":
        values = np.full(words + 1, CONSTANT * unit.peak)
    else:
        values = NOISE * unit.peak * _chance(unit, stimulus.sha256).standard_normal(words + 1)
    asked = [float(values[1:].max()), float(values[1:].min())] if words else [float("nan")] * 2
    return [*asked, float(values[0])]


def _bump(chance: np.random.Generator) -> Bool[np.ndarray, "patch"]:
    """A square anywhere, or nothing: what a unit does that answers to nothing in the picture."""
    grid = np.zeros((GRID, GRID), np.bool_)
    there = chance.random() < BUMP_RATE
    row, column = chance.integers(GRID - BUMP + 1, size=2)
    grid[row : row + BUMP, column : column + BUMP] = there
    return grid.reshape(-1)


@lru_cache(maxsize=64)
def _picture(stimulus: Stimulus) -> str:
    """Hash of the pixels alone; many units are asked about one stimulus in a row."""
    return hashlib.sha256(stimulus.image.tobytes()).hexdigest()


def _chance(unit: FunctionUnit, content: str) -> np.random.Generator:
    """Chance that is the same whenever the unit is shown the same."""
    return np.random.default_rng([unit.seed, int(content[:16], 16)])
