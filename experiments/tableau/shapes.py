"""Where each shape lies on the pixel grid: signed distances, coverage and reach.

Knows geometry; knows nothing about paint (render.py) or about which things may stand together (layout.py).
Every distance is exact: regular shapes are folded into one wedge of their symmetry, heart and moon follow
Quilez, "2D distance functions", https://iquilezles.org/articles/distfunctions2d/.
"""

from __future__ import annotations

from math import acos, cos, pi, radians, sin, sqrt
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from experiments.tableau.scene import SIDE, Shape, Thing

Grid = Float32[np.ndarray, "height width"]

STAR_INNER = 0.5
"""Distance of a star's notches from its center, where its tips lie at 1."""
CROSS_ARM = 0.36
"""Half the width of a cross's arm, where its arms end at 1."""
RING_INNER = 0.52
"""Radius of a ring's hole, where its outer radius is 1."""
BITE_RADIUS, BITE_OFFSET = 0.80, 0.52
"""The disk that is cut from a unit disk to leave a moon: its radius, and how far its center is moved."""
HEART_CENTER = 0.629
"""Height of a heart's center above its tip, where its shoulders meet at 1."""

_HEART_LOBE = sqrt(0.0625 + (0.75 - HEART_CENTER) ** 2) + sqrt(2) / 4


def _lens(bite: float, offset: float) -> float:
    """Area that a unit disk shares with a disk of radius `bite`, centers `offset` apart."""
    near = acos((offset**2 + 1 - bite**2) / (2 * offset))
    far = acos((offset**2 + bite**2 - 1) / (2 * offset * bite))
    return near - sin(2 * near) / 2 + bite**2 * (far - sin(2 * far) / 2)


UNIT_AREA: dict[Shape, float] = {
    "circle": pi,
    "square": 4.0,
    "triangle": 3 * sqrt(3) / 4,
    "star": 5 * sin(pi / 5) * STAR_INNER,
    "heart": 0.5 + pi / 8,
    "moon": pi - _lens(BITE_RADIUS, BITE_OFFSET),
    "cross": 8 * CROSS_ARM - 4 * CROSS_ARM**2,
    "ring": pi * (1 - RING_INNER**2),
}
"""Area of each shape at scale 1."""

UNIT_REACH: dict[Shape, float] = {
    "circle": 1.0,
    "square": sqrt(2),
    "triangle": 1.0,
    "star": 1.0,
    "heart": max(HEART_CENTER, _HEART_LOBE),
    "moon": 1.0,
    "cross": sqrt(1 + CROSS_ARM**2),
    "ring": 1.0,
}
"""Radius about the center that holds each shape at scale 1."""


def scale(shape: Shape, area: float) -> float:
    """Pixels per unit at which `shape` covers `area` pixels."""
    return sqrt(area / UNIT_AREA[shape])


def reach(thing: Thing) -> float:
    """Radius in pixels of the smallest circle about the center that holds the thing; anti-aliasing adds 0.5."""
    return scale(thing.shape, thing.area) * UNIT_REACH[thing.shape]


def distance(shape: Shape, area: float, x: Grid, y: Grid) -> Grid:
    """Signed distance in pixels to the edge of an upright shape around the origin: negative inside.

    `x` grows to the right and `y` downwards, in pixels from the shape's center.
    """
    unit = scale(shape, area)
    match shape:
        case "circle":
            return np.hypot(x, y) - unit
        case "ring":
            return np.abs(np.hypot(x, y) - unit * (1 + RING_INNER) / 2) - unit * (1 - RING_INNER) / 2
        case "square":
            return _box(np.abs(x) - unit, np.abs(y) - unit)
        case "triangle":
            return _points(x, y, 3, unit, 0.5)
        case "star":
            return _points(x, y, 5, unit, STAR_INNER)
        case "cross":
            return _cross(x, y, unit)
        case "heart":
            return _heart(x / unit, HEART_CENTER - y / unit) * unit
        case "moon":
            return _moon(x / unit, y / unit) * unit


def _box(right: Grid, below: Grid) -> Grid:
    """Distance to a rectangle, given how far each point lies beyond its right and its lower side."""
    outside = np.hypot(np.maximum(right, 0), np.maximum(below, 0))
    return outside + np.minimum(np.maximum(right, below), 0)


def _points(x: Grid, y: Grid, tips: int, outer: float, inner: float) -> Grid:
    """Distance to a star with one tip up: tips at `outer`, notches at `outer * inner`."""
    half = np.float32(pi / tips)
    radius, turn = np.hypot(x, y), np.arctan2(x, -y)
    wedge = np.abs(np.mod(turn + half, 2 * half) - half)
    along, across = radius * np.cos(wedge) - outer, radius * np.sin(wedge)
    edge_along, edge_across = outer * (inner * cos(pi / tips) - 1), outer * inner * sin(pi / tips)
    length = edge_along**2 + edge_across**2
    share = np.clip((along * edge_along + across * edge_across) / length, 0, 1)
    away = np.hypot(along - share * edge_along, across - share * edge_across)
    return np.copysign(away, across * -edge_along + along * edge_across)


def _cross(x: Grid, y: Grid, end: float) -> Grid:
    """Distance to an upright cross whose arms end at `end`."""
    arm = end * CROSS_ARM
    far, near = np.maximum(np.abs(x), np.abs(y)), np.minimum(np.abs(x), np.abs(y))
    notch = np.hypot(far - arm, near - arm)
    inside_arm = np.where(far > arm, np.maximum(near - arm, far - end), -notch)
    outside = np.where(far > end, np.hypot(far - end, np.maximum(near - arm, 0)), near - arm)
    return np.where((near <= arm) & (far <= end), inside_arm, outside)


def _heart(x: Grid, up: Grid) -> Grid:
    """Distance to a heart at scale 1 whose tip lies at the origin."""
    x = np.abs(x)
    lobe = np.hypot(x - 0.25, up - 0.75) - np.float32(sqrt(2) / 4)
    middle = np.maximum(x + up, 0) / 2
    side = np.minimum(np.hypot(x, up - 1), np.hypot(x - middle, up - middle))
    return np.where(x + up > 1, lobe, np.copysign(side, x - up))


def _moon(x: Grid, y: Grid) -> Grid:
    """Distance to a moon at scale 1 whose back is to the left."""
    y = np.abs(y)
    horn_x = (1 - BITE_RADIUS**2 + BITE_OFFSET**2) / (2 * BITE_OFFSET)
    horn_y = sqrt(1 - horn_x**2)
    beyond = BITE_OFFSET * (x * horn_y - y * horn_x) > BITE_OFFSET**2 * np.maximum(horn_y - y, 0)
    body = np.maximum(np.hypot(x, y) - 1, BITE_RADIUS - np.hypot(x - BITE_OFFSET, y))
    return np.where(beyond, np.hypot(x - horn_x, y - horn_y), body)


class Stamp(NamedTuple):
    """The part of the picture around one thing; grids hold a value for each pixel center in it."""

    rows: slice
    columns: slice
    dx: Float32[np.ndarray, "1 width"]
    """Pixels to the right of the thing's center."""
    dy: Float32[np.ndarray, "height 1"]
    """Pixels below the thing's center."""
    x: Grid
    """Like `dx`, in the thing's own rotated frame."""
    y: Grid
    """Like `dy`, in the thing's own rotated frame."""
    distance: Grid
    """Signed distance in pixels to the thing's edge: negative inside."""

    @property
    def coverage(self) -> Grid:
        """Share of each pixel that the thing covers, 0 to 1."""
        return np.clip(0.5 - self.distance, 0, 1)


def stamp(thing: Thing) -> Stamp:
    """Where a thing lies in the picture; what would lie outside the picture is cut off."""
    radius = reach(thing) + 1
    rows, columns = _span(thing.y, radius), _span(thing.x, radius)
    dy = (np.arange(rows.start, rows.stop, dtype=np.float32) + np.float32(0.5 - thing.y))[:, None]
    dx = (np.arange(columns.start, columns.stop, dtype=np.float32) + np.float32(0.5 - thing.x))[None, :]
    turn = radians(thing.angle)
    x, y = dx * cos(turn) + dy * sin(turn), dy * cos(turn) - dx * sin(turn)
    return Stamp(rows, columns, dx, dy, x, y, distance(thing.shape, thing.area, x, y))


def _span(center: float, radius: float) -> slice:
    """The pixels within `radius` of `center` that lie in the picture."""
    start = min(max(int(center - radius), 0), SIDE)
    return slice(start, min(max(int(center + radius) + 1, start), SIDE))
