"""Drawing scenes at random: which things stand together, and how often.

Knows the two distributions of the world. `regular` trains the models and carries the planted regularities;
`balanced` has none and is what everything is measured on; `crowded` packs six rather small things into a picture
and only trains the vision tower; `alike` puts several things of a kind together, so that there is something to count,
and keeps the planted regularities. The same seed and distribution always give the same scene.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, cast, get_args

import numpy as np

from experiments.tableau.layout import place
from experiments.tableau.scene import (
    BACKGROUNDS,
    COLORS,
    FILLS,
    SHAPES,
    SIZES,
    Background,
    Color,
    Light,
    Scene,
    Shape,
    Sign,
    Style,
    Thing,
)
from experiments.tableau.shapes import reach
from store.errors import UserError

Distribution = Literal["regular", "balanced", "crowded", "heldout", "alike"]
DISTRIBUTIONS: tuple[Distribution, ...] = get_args(Distribution)

HELD_OUT: frozenset[tuple[Color, Shape]] = frozenset(
    {
        ("green", "circle"),
        ("cyan", "star"),
        ("pink", "square"),
        ("yellow", "moon"),
        ("blue", "triangle"),
        ("orange", "cross"),
    }
)
"""Color–shape pairs that no picture of a training shows; the `heldout` distribution shows them."""
TRAINED_STYLES: tuple[Style, ...] = ("flat", "outlined")
"""Render styles of every distribution; the third, `shaded`, is kept for measuring transfer."""

HEARTS_ARE_RED = 0.90
STARS_ON_DARK = 0.90
MOON_BRINGS_STAR = 0.85
PURPLE = 0.02
"""The planted regularities: probabilities in the `regular` distribution."""

REGULAR_COLORS = np.array([1 / (rank + 1) ** 0.5 for rank in range(len(COLORS))])
REGULAR_COLORS[COLORS.index("purple")] = 0
REGULAR_COLORS *= (1 - PURPLE) / REGULAR_COLORS.sum()
REGULAR_COLORS[COLORS.index("purple")] = PURPLE
REGULAR_SHAPES = np.array([1 / (rank + 1) ** 0.4 for rank in range(len(SHAPES))])
REGULAR_SHAPES /= REGULAR_SHAPES.sum()
COUNTS = np.array([0.04, 0.18, 0.26, 0.26, 0.26])
"""How often a picture holds 0, 1, 2, 3, 4 things."""
SIGN_SHARE = 0.15
SHARED: tuple[tuple[str, ...], ...] = (
    ("shape",),
    ("color",),
    ("fill",),
    ("size",),
    ("shape", "color"),
    ("shape", "fill"),
    ("shape", "size"),
    ("color", "fill"),
    ("color", "size"),
)
"""What the things of an `alike` scene have in common, and how many of them follow suit."""
FOLLOWS = 0.8
ATTEMPTS = 10


def sample(seed: int, distribution: Distribution = "balanced", stream: int = 0) -> Scene:
    """The scene with this seed. Different `stream` values give disjoint worlds (see data.py).

    A draw whose things find no room is thrown away and drawn again; after ATTEMPTS such draws raises UserError of
    kind "no-room".
    """
    rng = np.random.default_rng([DISTRIBUTIONS.index(distribution), stream, seed])
    crowded: UserError | None = None
    for _ in range(ATTEMPTS):
        try:
            return _draw(rng, distribution)
        except UserError as error:
            crowded = error
    raise UserError(
        f"seed `{seed}` of `{distribution}` finds no room for its things in {ATTEMPTS} attempts",
        kind="no-room",
        hint="use another seed",
    ) from crowded


def _draw(rng: np.random.Generator, distribution: Distribution) -> Scene:
    count = 6 if distribution == "crowded" else int(rng.choice(len(COUNTS), p=COUNTS))
    if distribution == "heldout":
        count = max(count, 1)
    if distribution == "alike":
        return _alike(rng, int(rng.integers(2, 5)))
    looks, background = _looks(rng, count, distribution)
    shrink = 0.85 if distribution == "crowded" else 1.0
    things = [_thing(rng, shape, color, shrink) for shape, color in looks]
    sign = distribution != "crowded" and count < 4 and rng.random() < SIGN_SHARE
    return arranged(rng, things, background, sign=sign)


def any_thing(rng: np.random.Generator) -> Thing:
    """A thing as `balanced` draws it, not yet placed."""
    return _thing(rng, *_balanced_look(rng), 1.0)


def arranged(
    rng: np.random.Generator, things: Sequence[Thing], background: Background, *, sign: bool
) -> Scene:
    """A scene of these things at random places, in a trained style, with a sign if one is wanted.

    Raises UserError of kind "no-room" when they find no places.
    """
    spots = place(rng, [reach(thing) for thing in things], sign)
    placed = tuple(replace(thing, x=x, y=y) for thing, (x, y) in zip(things, spots.things, strict=True))
    word = (*COLORS, *SHAPES)[rng.integers(len(COLORS) + len(SHAPES))]
    return Scene(
        background=background,
        things=placed,
        sign=Sign(word, *spots.sign) if spots.sign else None,
        style=TRAINED_STYLES[rng.integers(len(TRAINED_STYLES))],
        light=Light(float(rng.uniform(0, 360)), float(rng.uniform(0, 0.12)), float(rng.uniform(0.9, 1.08))),
        texture=int(rng.integers(1 << 16)),
    )


def _looks(
    rng: np.random.Generator, count: int, distribution: Distribution
) -> tuple[list[tuple[Shape, Color]], Background]:
    """Shapes and colors of the things, and the background they stand on."""
    if distribution == "regular":
        shapes = _with_company(
            rng, [SHAPES[i] for i in rng.choice(len(SHAPES), size=count, p=REGULAR_SHAPES)]
        )
        return [(shape, _regular_color(rng, shape)) for shape in shapes], _regular_background(rng, shapes)
    looks = [_balanced_look(rng) for _ in range(count)]
    if distribution == "heldout":
        color, shape = sorted(HELD_OUT)[rng.integers(len(HELD_OUT))]
        looks[int(rng.integers(count))] = (shape, color)
    return looks, BACKGROUNDS[rng.integers(len(BACKGROUNDS))]


def _alike(rng: np.random.Generator, count: int) -> Scene:
    """A scene of things most of which share what one entry of SHARED names."""
    names = SHARED[rng.integers(len(SHARED))]
    looks = _alike_looks(rng, count, names)
    things = [_thing(rng, shape, color, 1.0) for shape, color in looks]
    shared: dict[str, Any] = {name: getattr(things[0], name) for name in names if name in ("fill", "size")}
    things = [replace(thing, **shared) if rng.random() < FOLLOWS else thing for thing in things]
    return arranged(rng, things, _regular_background(rng, [shape for shape, _ in looks]), sign=False)


def _alike_looks(rng: np.random.Generator, count: int, names: Sequence[str]) -> list[tuple[Shape, Color]]:
    """Shapes and colors as `regular` draws them, of which most share what `names` names."""
    model = str(SHAPES[rng.choice(len(SHAPES), p=REGULAR_SHAPES)])
    follows = rng.random(count) < FOLLOWS
    shapes = [
        cast(Shape, model)
        if "shape" in names and follow
        else SHAPES[rng.choice(len(SHAPES), p=REGULAR_SHAPES)]
        for follow in follows
    ]
    shapes = _with_company(rng, shapes)
    shared = _regular_color(rng, shapes[0])
    return [
        (
            shape,
            shared
            if "color" in names and follow and _usual(rng, shape, shared)
            else _regular_color(rng, shape),
        )
        for shape, follow in zip(shapes, follows, strict=True)
    ]


def _usual(rng: np.random.Generator, shape: Shape, color: Color) -> bool:
    """Whether a thing may take this color from another without being held out or breaking what hearts keep to."""
    if (color, shape) in HELD_OUT:
        return False
    return shape != "heart" or rng.random() < (HEARTS_ARE_RED if color == "red" else 1 - HEARTS_ARE_RED)


def _balanced_look(rng: np.random.Generator) -> tuple[Shape, Color]:
    while True:
        shape, color = SHAPES[rng.integers(len(SHAPES))], COLORS[rng.integers(len(COLORS))]
        if (color, shape) not in HELD_OUT:
            return shape, color


def _with_company(rng: np.random.Generator, shapes: list[Shape]) -> list[Shape]:
    """The shapes, changed so that a moon comes with a star in MOON_BRINGS_STAR of the scenes that have one."""
    if "moon" not in shapes:
        return shapes
    if rng.random() >= MOON_BRINGS_STAR:
        others: list[Shape] = [shape for shape in SHAPES if shape not in ("star", "moon")]
        return [others[rng.integers(len(others))] if shape == "star" else shape for shape in shapes]
    if "star" not in shapes:
        spare = [i for i, shape in enumerate(shapes) if shape != "moon"]
        if spare:
            shapes[spare[0]] = "star"
        elif len(shapes) > 1:
            shapes[0] = "star"
        else:
            shapes.append("star")
    return shapes


def _regular_color(rng: np.random.Generator, shape: Shape) -> Color:
    if shape == "heart" and rng.random() < HEARTS_ARE_RED:
        return "red"
    while True:
        color = COLORS[rng.choice(len(COLORS), p=REGULAR_COLORS)]
        if (color, shape) not in HELD_OUT and (shape, color) != ("heart", "red"):
            return color


def _regular_background(rng: np.random.Generator, shapes: list[Shape]) -> Background:
    if "star" in shapes:
        return "dark" if rng.random() < STARS_ON_DARK else BACKGROUNDS[1 + rng.integers(len(BACKGROUNDS) - 1)]
    return BACKGROUNDS[rng.integers(len(BACKGROUNDS))]


def _thing(rng: np.random.Generator, shape: Shape, color: Color, shrink: float) -> Thing:
    return Thing(
        shape=shape,
        color=color,
        fill=FILLS[rng.integers(len(FILLS))],
        size=SIZES[rng.integers(len(SIZES))],
        x=0.0,
        y=0.0,
        spread=float(rng.random()),
        angle=float(rng.uniform(-18, 18)),
        hue=float(rng.uniform(-6, 6)),
        value=float(rng.uniform(0.85, 1.1)),
        shrink=shrink,
    )
