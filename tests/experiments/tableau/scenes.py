"""Random legal scenes for these tests, by seed, without the world's own sampler."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from experiments.tableau.layout import place
from experiments.tableau.scene import (
    BACKGROUNDS,
    COLORS,
    FILLS,
    SHAPES,
    SIZES,
    STYLES,
    Light,
    Scene,
    Sign,
    Thing,
)
from experiments.tableau.shapes import reach
from store.errors import UserError


def random_thing(rng: np.random.Generator) -> Thing:
    """A thing of any kind, not yet placed."""
    return Thing(
        SHAPES[rng.integers(len(SHAPES))],
        COLORS[rng.integers(len(COLORS))],
        FILLS[rng.integers(len(FILLS))],
        SIZES[rng.integers(len(SIZES))],
        x=0,
        y=0,
        spread=rng.random(),
        angle=rng.uniform(0, 360),
        hue=rng.uniform(-6, 6),
        value=rng.uniform(0.85, 1.1),
    )


def random_scene(seed: int) -> Scene:
    """A legal scene of at most four things, perhaps with a sign; the sign goes when there is no room for it."""
    rng = np.random.default_rng(seed)
    things = [random_thing(rng) for _ in range(rng.integers(5))]
    reaches = [reach(thing) for thing in things]
    try:
        spots = place(rng, reaches, sign=bool(rng.random() < 0.5))
    except UserError:
        spots = place(rng, reaches)
    words = COLORS + SHAPES
    return Scene(
        BACKGROUNDS[rng.integers(len(BACKGROUNDS))],
        tuple(replace(thing, x=spot.x, y=spot.y) for thing, spot in zip(things, spots.things, strict=True)),
        Sign(words[rng.integers(len(words))], *spots.sign) if spots.sign else None,
        STYLES[rng.integers(len(STYLES))],
        Light(rng.uniform(0, 360), rng.uniform(0, 0.15), rng.uniform(0.85, 1.1)),
        int(rng.integers(1000)),
    )


scenes = st.integers(0, 2**32 - 1).map(random_scene)
