"""The scene graph: what a picture of tableau contains, as plain values.

Knows attributes, positions and sizes; knows nothing about pixels (render.py), words (phrases.py) or chance
(sampler.py). A scene is immutable and hashable, and two equal scenes always give the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

SIDE = 112
"""Width and height of a picture in pixels."""
PATCH = 8
"""Width and height of one visual token in pixels."""
GRID = SIDE // PATCH
"""Visual tokens along one side; token `i` covers row `i // GRID`, column `i % GRID`."""

Shape = Literal["circle", "square", "triangle", "star", "heart", "moon", "cross", "ring"]
Color = Literal["red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink"]
Fill = Literal["solid", "striped", "dotted"]
Size = Literal["small", "large"]
Background = Literal["dark", "light", "gray", "checkered", "wavy"]
Style = Literal["flat", "outlined", "shaded"]

SHAPES: tuple[Shape, ...] = get_args(Shape)
COLORS: tuple[Color, ...] = get_args(Color)
FILLS: tuple[Fill, ...] = get_args(Fill)
SIZES: tuple[Size, ...] = get_args(Size)
BACKGROUNDS: tuple[Background, ...] = get_args(Background)
STYLES: tuple[Style, ...] = get_args(Style)

AREA: dict[Size, tuple[float, float]] = {"small": (0.020, 0.028), "large": (0.044, 0.060)}
"""Share of the picture that an object of a size covers: smallest and largest."""
SIGN_WIDTH, SIGN_HEIGHT = 44, 15
"""Pixels that a sign's card covers; a sign's position is its center."""


def quarter_at(x: float, y: float) -> str:
    """The quarter of the picture that a point lies in: "upper left" …"""
    return f"{'upper' if y < SIDE / 2 else 'lower'} {'left' if x < SIDE / 2 else 'right'}"


@dataclass(frozen=True, slots=True)
class Thing:
    """One object. `x` grows to the right, `y` downwards, both in pixels from the top left corner to its center.

    `spread` in [0, 1] places the area within the range of its size (AREA); `angle` is a rotation in degrees;
    `hue` (degrees) and `value` (factor) shift the paint a little, so that no two reds are quite the same.
    `shrink` scales lengths; it is 1 except in the crowded scenes that only train the vision tower.
    """

    shape: Shape
    color: Color
    fill: Fill
    size: Size
    x: float
    y: float
    spread: float = 0.5
    angle: float = 0.0
    hue: float = 0.0
    value: float = 1.0
    shrink: float = 1.0

    @property
    def quarter(self) -> str:
        """The quarter of the picture that the center lies in: "upper left" …"""
        return quarter_at(self.x, self.y)

    @property
    def area(self) -> float:
        """Pixels that the object covers, before anti-aliasing."""
        low, high = AREA[self.size]
        return (low + self.spread * (high - low)) * SIDE * SIDE * self.shrink**2


@dataclass(frozen=True, slots=True)
class Sign:
    """A small card that bears one color or shape word; (x, y) is its center in pixels."""

    word: Color | Shape
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Light:
    """Illumination over the whole picture: brightness falls by `strength` along `angle` (degrees) around `level`."""

    angle: float = 0.0
    strength: float = 0.0
    level: float = 1.0


@dataclass(frozen=True, slots=True)
class Scene:
    """A whole picture. `texture` seeds the background's pattern."""

    background: Background
    things: tuple[Thing, ...] = ()
    sign: Sign | None = None
    style: Style = "flat"
    light: Light = Light()
    texture: int = 0
