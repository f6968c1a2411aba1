"""Crops of scenes and what a judge should see in them, cell by cell.

Knows which things a crop shows, where their centers are, and which cells are asked about what. Knows nothing about
the network (judge.py) or its training (train/judge.py).
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int64

from experiments.tableau.concepts import WORDS
from experiments.tableau.judge import STRIDE
from experiments.tableau.phrases import ATTRIBUTES
from experiments.tableau.render import Masks, sign_mask
from experiments.tableau.scene import SIDE, STYLES, Scene, Thing
from experiments.tableau.train.dense import NONE

SHOWN, FILLED = 0.5, 0.25
"""A crop shows a thing when it holds this share of the thing, or when the thing fills this share of the crop."""
BARE = 0.05
"""Least share of a crop that must show the background for the background to be asked for."""
CENTER, AROUND = 0.75, 1.75
"""Cells from a center within which a cell is one, and beyond which it is none; between, nothing is asked."""


class Box(NamedTuple):
    """The part of a picture that a crop shows, in pixels."""

    top: int
    left: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


WHOLE = Box(0, 0, SIDE, SIDE)


class Labels(NamedTuple):
    """What a judge should see in one picture: 1 at a center, words as indices into WORDS, NONE where not asked."""

    cells: Int64[np.ndarray, "readout row column"]
    background: int


def shown(drawn: Masks, box: Box) -> Bool[np.ndarray, "thing"]:
    """Which things the crop shows, given the pixels that each draws on."""
    inside = drawn[:, *box.slices].sum(axis=(1, 2))
    everything = np.maximum(drawn.sum(axis=(1, 2)), 1)
    return (inside >= SHOWN * everything) | (inside >= FILLED * box.height * box.width)


def centers(drawn: Masks, box: Box) -> Float[np.ndarray, "thing 2"]:
    """Means of the pixels (y, x) that each thing draws on in the crop; a thing with none there is at the origin."""
    seen = drawn[:, *box.slices].astype(np.float64)
    amount = np.maximum(seen.sum(axis=(1, 2)), 1)
    y, x = np.arange(box.height) + 0.5, np.arange(box.width) + 0.5
    return np.stack([seen.sum(axis=2) @ y, seen.sum(axis=1) @ x], axis=1) / amount[:, None]


def label(scene: Scene, drawn: Masks, box: Box = WHOLE) -> Labels:
    """The labels of a crop. The size of a shrunken thing is not asked for: it lies between small and large."""
    rows, columns = -(-box.height // STRIDE), -(-box.width // STRIDE)
    cells = np.full((1 + len(ATTRIBUTES), rows, columns), NONE, dtype=np.int64)
    cells[0] = 0
    middles = (np.indices((rows, columns)).transpose(1, 2, 0) + 0.5) * STRIDE
    places, seen = centers(drawn, box), shown(drawn, box)
    for index in np.flatnonzero(seen):
        thing = scene.things[index]
        away = np.hypot(*(middles - places[index]).transpose(2, 0, 1)) / STRIDE
        own = (away <= AROUND) | (_shares(drawn[index][box.slices], rows, columns) > 0.5)
        for readout, name in enumerate(ATTRIBUTES, start=1):
            if name != "size" or thing.shrink == 1:
                cells[readout][own] = WORDS[name].index(getattr(thing, name))
        cells[0][(away <= AROUND) & (cells[0] == 0)] = NONE
        cells[0][away <= CENTER] = 1
    hidden = (drawn.any(axis=0) | sign_mask(scene))[box.slices]
    bare = 1 - hidden.mean() >= BARE
    return Labels(cells, WORDS["background"].index(scene.background) if bare else NONE)


def _shares(
    mask: Bool[np.ndarray, "height width"], rows: int, columns: int
) -> Float[np.ndarray, "row column"]:
    """Share of every cell that the mask covers."""
    padding = ((0, rows * STRIDE - mask.shape[0]), (0, columns * STRIDE - mask.shape[1]))
    return np.pad(mask, padding).reshape(rows, STRIDE, columns, STRIDE).mean(axis=(1, 3))


def crop(scene: Scene, rng: np.random.Generator, height: int, width: int) -> Box:
    """A crop anywhere, or one that has a point of a thing's surroundings in its middle."""
    top, left = (int(rng.integers(SIDE - side + 1)) for side in (height, width))
    if scene.things and rng.random() < 0.5:
        thing: Thing = scene.things[rng.integers(len(scene.things))]
        top = round(thing.y + rng.normal(0, 8) - height / 2)
        left = round(thing.x + rng.normal(0, 8) - width / 2)
    return Box(min(max(top, 0), SIDE - height), min(max(left, 0), SIDE - width), height, width)


def styled(scenes: list[Scene], rng: np.random.Generator) -> list[Scene]:
    """The scenes, each in any of the styles, the one that is held out of the others' training included."""
    return [replace(scene, style=STYLES[rng.integers(len(STYLES))]) for scene in scenes]
