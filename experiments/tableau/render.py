"""From a scene to pixels, and which pixels belong to which thing.

Knows paint, backgrounds, light and anti-aliasing; knows nothing about words or chance. A picture depends on
its scene alone, and a thing's paint on the thing, the style and the light alone, so that two scenes that
differ in one thing differ only where that thing lies.
"""

from __future__ import annotations

from colorsys import hsv_to_rgb
from functools import lru_cache
from math import cos, pi, radians, sin, sqrt

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from PIL import Image

from experiments.tableau.layout import card_span
from experiments.tableau.lettering import written
from experiments.tableau.scene import (
    GRID,
    PATCH,
    SIDE,
    SIGN_HEIGHT,
    SIGN_WIDTH,
    Background,
    Color,
    Light,
    Scene,
    Style,
    Thing,
)
from experiments.tableau.shapes import Grid, Stamp, stamp

Picture = UInt8[np.ndarray, "side side 3"]
Mask = Bool[np.ndarray, "side side"]
Masks = Bool[np.ndarray, "thing side side"]
PatchSet = Bool[np.ndarray, "patch"]
Paint = Float32[np.ndarray, "height width 3"]

PAINT: dict[Color, tuple[float, float, float]] = {
    "red": (356, 0.86, 0.80),
    "orange": (24, 0.90, 0.90),
    "yellow": (55, 0.84, 0.88),
    "green": (128, 0.76, 0.60),
    "cyan": (183, 0.72, 0.80),
    "blue": (222, 0.82, 0.80),
    "purple": (278, 0.72, 0.62),
    "pink": (334, 0.42, 0.93),
}
"""Hue in degrees, saturation and value of each color before jitter."""

PLAIN: dict[Background, tuple[float, float, float]] = {
    "dark": (0.075, 0.085, 0.125),
    "light": (0.915, 0.91, 0.89),
    "gray": (0.50, 0.50, 0.50),
}
CHECKERS = ((0.60, 0.60, 0.62), (0.42, 0.42, 0.44))
SAND = ((0.80, 0.76, 0.67), (0.66, 0.615, 0.52))

PALE = 0.90
"""How far the paint of stripes and dots lies on the way from a thing's own paint to white."""
RIM = 1.3
"""Width in pixels of the darker rim of the outlined style."""
SEAM = 0.9
"""Width in pixels of the seam of own paint around stripes and dots: it keeps the shape clear on a pale ground."""

CARD, INK, BORDER = (0.93, 0.92, 0.88), (0.10, 0.10, 0.13), (0.28, 0.28, 0.32)


def render(scene: Scene) -> Picture:
    """The picture of a scene: later things are drawn over earlier ones, the sign over all."""
    canvas = _background(scene.background, scene.texture).copy()
    for thing in scene.things:
        where = stamp(thing)
        coverage = where.coverage[..., None]
        canvas[where.rows, where.columns] *= 1 - coverage
        canvas[where.rows, where.columns] += coverage * _paint(thing, scene.style, where)
    if scene.sign is not None:
        rows, columns = card_span(scene.sign)
        canvas[rows, columns] = _card(scene.sign.word)
    canvas *= _gain(scene.light)
    return np.clip(canvas + 0.5, 0, 255).astype(np.uint8)


def masks(scene: Scene) -> Masks:
    """The pixels that each thing draws on, without those that a later thing or the sign draws on too."""
    drawn = np.zeros((len(scene.things), SIDE, SIDE), dtype=np.bool_)
    for index, thing in enumerate(scene.things):
        where = stamp(thing)
        covered = where.coverage > 0
        drawn[:index, where.rows, where.columns] &= ~covered
        drawn[index, where.rows, where.columns] = covered
    return drawn & ~sign_mask(scene)


def sign_mask(scene: Scene) -> Mask:
    """The pixels of the scene's sign; none when it has no sign."""
    drawn = np.zeros((SIDE, SIDE), dtype=np.bool_)
    if scene.sign is not None:
        drawn[card_span(scene.sign)] = True
    return drawn


def patches(mask: Mask, share: float = 0.25) -> PatchSet:
    """The visual tokens of which `mask` fills at least `share`.

    If there is none, it is the fullest alone; an empty mask has none.
    """
    filled = mask.reshape(GRID, PATCH, GRID, PATCH).mean(axis=(1, 3)).reshape(-1)
    chosen = filled >= share
    if not chosen.any() and mask.any():
        chosen[filled.argmax()] = True
    return chosen


def to_image(picture: Picture) -> Image.Image:
    """The picture as a Pillow image."""
    return Image.fromarray(picture)


def color_of(thing: Thing) -> tuple[float, float, float]:
    """A thing's own paint after jitter, each channel in [0, 255], before style and light."""
    hue, saturation, value = PAINT[thing.color]
    red, green, blue = hsv_to_rgb((hue + thing.hue) % 360 / 360, saturation, min(value * thing.value, 1.0))
    return red * 255, green * 255, blue * 255


def _paint(thing: Thing, style: Style, where: Stamp) -> Paint:
    """The paint of a thing at every pixel of its stamp."""
    own = np.array(color_of(thing), dtype=np.float32)
    pale = _pale(thing, where)[..., None]
    paint = own + pale * (np.float32(PALE) * (255 - own))
    match style:
        case "flat":
            return paint
        case "outlined":
            return paint + np.clip(where.distance + RIM + 0.5, 0, 1)[..., None] * (own * 0.45 - paint)
        case "shaded":
            unit = sqrt(thing.area)
            shade = np.hypot(where.dx / unit + 0.25, where.dy / unit + 0.3)
            return paint * np.clip(1.10 - 0.42 * shade, 0.60, 1.10)[..., None]


def _pale(thing: Thing, where: Stamp) -> Grid | Float32[np.ndarray, "1 1"]:
    """Share of each pixel that bears a pale stripe or dot; the pattern is fixed in the thing's own frame."""
    if thing.fill == "solid":
        return np.zeros((1, 1), dtype=np.float32)
    unit, slant = sqrt(thing.area), np.float32(sqrt(0.5))
    across = (where.x + where.y) * slant
    if thing.fill == "striped":
        period = max(4.8, 0.29 * unit)
        pale = 0.21 * period - _from_nearest(across, period)
    else:
        period = max(4.6, 0.27 * unit)
        along = (where.x - where.y) * slant
        pale = 0.33 * period - np.hypot(_from_nearest(across, period), _from_nearest(along, period))
    return np.clip(0.5 + np.minimum(pale, -where.distance - SEAM), 0, 1)


def _from_nearest(line: Grid, period: float) -> Grid:
    """Distance to the nearest multiple of `period`."""
    return np.abs(line - period * np.rint(line / period))


def _gain(light: Light) -> Float32[np.ndarray, "height width 1"]:
    """The factor by which the light multiplies each pixel."""
    middle = (np.arange(SIDE, dtype=np.float32) + 0.5) * (2 / SIDE) - 1
    turn = radians(light.angle)
    slope = middle[None, :] * cos(turn) + middle[:, None] * sin(turn)
    return (light.level * (1 - light.strength * slope))[..., None]


def _background(background: Background, texture: int) -> Paint:
    """The bare background before light; plain ones do not vary with `texture`."""
    return _textured(background, texture) if background in ("checkered", "wavy") else _textured(background, 0)


@lru_cache(maxsize=32)
def _textured(background: Background, texture: int) -> Paint:
    if background in PLAIN:
        return np.full((SIDE, SIDE, 3), PLAIN[background], dtype=np.float32) * np.float32(255)
    chance = np.random.default_rng(texture)
    turn, phase, sway = chance.uniform(0, 2 * pi, size=3)
    pixel = np.arange(SIDE, dtype=np.float32)
    x = pixel[None, :] * cos(turn) + pixel[:, None] * sin(turn)
    y = pixel[:, None] * cos(turn) - pixel[None, :] * sin(turn)
    if background == "checkered":
        step = pi / chance.uniform(8, 13)
        share = np.clip(0.5 + np.sin(x * step + phase) * np.sin(y * step + sway) / (2 * step), 0, 1)
        first, second = CHECKERS
    else:
        length, bend = 2 * pi / chance.uniform(10, 16), 2 * pi / chance.uniform(34, 60)
        share = 0.5 + 0.5 * np.sin(x * length + phase + chance.uniform(1.2, 2.2) * np.sin(y * bend + sway))
        first, second = SAND
    low, high = (np.array(tone, dtype=np.float32) * np.float32(255) for tone in (second, first))
    return (low + share[..., None] * (high - low)).astype(np.float32)


@lru_cache(maxsize=32)
def _card(word: str) -> Paint:
    """A card of SIGN_HEIGHT × SIGN_WIDTH pixels that bears `word` in capitals."""
    card = np.full((SIGN_HEIGHT, SIGN_WIDTH, 3), BORDER, dtype=np.float32)
    card[1:-1, 1:-1] = CARD
    ink = written(word)
    top, left = (SIGN_HEIGHT - ink.shape[0]) // 2, (SIGN_WIDTH - ink.shape[1]) // 2
    card[top : top + ink.shape[0], left : left + ink.shape[1]][ink] = INK
    return card * np.float32(255)
