"""Function units: virtual components that answer for real addresses, with values computed from the scene graph.

A unit's map over the picture is high on the patches of the things that its concept speaks of, where the concept holds,
and low noise elsewhere; pools are taken of that map, as a model's are. At question and answer tokens there is noise
alone. Everything else about an address (weights, what cutting it does) is still the host unit's. Edited and made
pictures work too: a stimulus's key tells its scene. Knows what values are; responses.py tells what a unit makes of a
scene, drawing.py decides which units there are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import Float32

from experiments.bench.kinds import FunctionUnit
from experiments.bench.responses import lit
from experiments.tableau.recall import recall
from experiments.tableau.region import Lit, Strengths, over_patches
from experiments.tableau.scene import GRID, Scene
from store.address import Address
from tools.activations import ActivationSource
from tools.meter import count
from tools.pools import POOLS
from tools.stimuli import Stimulus

NOISE = 0.06
"""Standard deviation at every token, as a share of the unit's peak."""
FAINTEST = 0.7
"""A unit's answer to a picture lies between this share of its peak and all of it."""
BUMP_RATE = 0.3
"""Share of pictures in which a noise unit is high somewhere: as often as a color is there."""
BUMP = 3
"""Patches along a side of the place where it is."""
CONSTANT = 0.3
"""What a dead unit says of everything, as a share of its peak."""

Map = Float32[np.ndarray, "patch"]


class FunctionUnits:
    """An ActivationSource that answers for its units, and asks the host for all others.

    A stimulus that is shown to function units alone counts as one row, as it would have been in a model.
    """

    def __init__(self, host: ActivationSource, units: Sequence[FunctionUnit]) -> None:
        self.host = host
        self.units = {unit.address: unit for unit in units}

    def pooled(
        self, addresses: Sequence[Address], stimuli: Sequence[Stimulus], /
    ) -> Float32[np.ndarray, "pool stimulus component"]:
        """Raises UserError of kind "stimulus" for a picture that is not of the painted world."""
        found = np.full((len(POOLS), len(stimuli), len(addresses)), np.nan, np.float32)
        real = [column for column, address in enumerate(addresses) if address not in self.units]
        if real:
            found[:, :, real] = self.host.pooled([addresses[column] for column in real], stimuli)
        else:
            count(len(stimuli))
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
        count(len(stimuli))
        found = [over_picture(self.units[address], stimulus) for stimulus in stimuli]
        return np.array(found, np.float32).reshape(len(stimuli), GRID, GRID)


def over_picture(unit: FunctionUnit, stimulus: Stimulus) -> Map:
    """A unit's activation at each visual token. It depends on the picture alone: questions come after it."""
    if unit.kind == "dead":
        return np.full(GRID * GRID, CONSTANT * unit.peak, np.float32)
    chance = _chance(unit, _picture(stimulus))
    values = NOISE * chance.standard_normal(GRID * GRID)
    high = FAINTEST + (1 - FAINTEST) * chance.random()
    strengths = _bump(chance) if unit.kind == "noise" else _strengths(unit, stimulus)
    values += high * strengths
    return (unit.peak * values).astype(np.float32)


def _strengths(unit: FunctionUnit, stimulus: Stimulus) -> Strengths:
    return over_patches(*_lit(unit, str(recall(stimulus.key).key.bare)))


@lru_cache(maxsize=1 << 17)
def _lit(unit: FunctionUnit, key: str) -> tuple[Lit, Scene]:
    """What the unit answers to in the picture of a bare key, and what there is."""
    scene = recall(key).scene
    return lit(unit, scene), scene


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


def _bump(chance: np.random.Generator) -> Strengths:
    """A square anywhere, or nothing: what a unit does that answers to nothing in the picture."""
    grid = np.zeros((GRID, GRID))
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
