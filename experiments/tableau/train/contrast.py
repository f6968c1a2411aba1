"""Contrastive batches: pictures, their captions, and captions that are wrong in one binding.

Knows how a caption is made wrong; the words and pictures come from captions.py and batches.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from experiments.tableau.captions import caption
from experiments.tableau.lexicon import END, PAD, START
from experiments.tableau.phrases import VALUES
from experiments.tableau.scene import BACKGROUNDS, Scene
from experiments.tableau.train.batches import IDS, encode, labels_of, pixels

EVEN = {"color": 0.4, "shape": 0.2, "fill": 0.2, "size": 0.2}
SHAPES_FIRST = {"color": 0.15, "shape": 0.65, "fill": 0.1, "size": 0.1}
"""How often each attribute is the one that a wrong caption has wrong."""


class ContrastBatch(NamedTuple):
    """Pictures, their dense labels, one caption each, and one caption each that is wrong in one binding."""

    pixels: Float[Tensor, "row 3 side side"]
    labels: Int[Tensor, "row readout patch"]
    captions: Int[Tensor, "row token"]
    wrong: Int[Tensor, "row token"]


def contrast_batch(
    scenes: list[Scene], rng: np.random.Generator, wrong: dict[str, float] = EVEN
) -> ContrastBatch:
    """Captions of the scenes, and the same captions with two attribute words changed places or one replaced."""
    told = [caption(scene) for scene in scenes]
    return ContrastBatch(
        pixels(scenes),
        labels_of(scenes),
        _lines(told),
        _lines([caption(_misdescribed(scene, rng, wrong)) for scene in scenes]),
    )


def _lines(texts: list[str]) -> Int[Tensor, "row token"]:
    """Whole texts between start and end tokens, padded on the right."""
    encoded = [[IDS[START], *encode(text), IDS[END]] for text in texts]
    width = max(map(len, encoded))
    return torch.tensor([tokens + [IDS[PAD]] * (width - len(tokens)) for tokens in encoded])


def _misdescribed(scene: Scene, rng: np.random.Generator, wrong: dict[str, float]) -> Scene:
    """The scene with one attribute exchanged between two things, or, when none differs, replaced in one."""
    things = list(scene.things)
    if not things:
        grounds = [ground for ground in BACKGROUNDS if ground != scene.background]
        return replace(scene, background=grounds[rng.integers(len(grounds))])
    name = str(rng.choice(list(wrong), p=list(wrong.values())))
    first = int(rng.integers(len(things)))
    differing = [
        index for index, thing in enumerate(things) if getattr(thing, name) != getattr(things[first], name)
    ]
    if differing and rng.random() < 0.7:
        second = differing[rng.integers(len(differing))]
        mine, theirs = getattr(things[first], name), getattr(things[second], name)
        things[second] = replace(things[second], **{name: mine})
    else:
        others = [value for value in VALUES[name] if value != getattr(things[first], name)]
        theirs = others[rng.integers(len(others))]
    things[first] = replace(things[first], **{name: theirs})
    return replace(scene, things=tuple(things))
