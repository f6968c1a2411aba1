"""Crops of pictures around the hottest patch of a heat map, and around the coldest one.

Pure geometry of maps and boxes. Not a tool.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from PIL import Image

ACROSS = 0.4
"""Share of the picture's side that a crop spans, at least three patches where there are so many."""
SMALLEST = 32
"""Least side of a crop in pixels, where the picture has them."""


class Crops(NamedTuple):
    """Windows of one size of one picture."""

    hot: Image.Image
    cold: Image.Image


def crops(
    image: Image.Image, heat: Float[np.ndarray, "rows columns"], boxes: Float[np.ndarray, "token 4"]
) -> Crops:
    """The window around the patch with the largest value, and the one around the patch with the smallest among those
    that lie outside the hot one (the very smallest where all lie inside)."""
    flat = np.nan_to_num(np.asarray(heat, dtype=np.float64).ravel(), nan=-np.inf)
    centers = np.stack([boxes[:, [0, 2]].mean(axis=1), boxes[:, [1, 3]].mean(axis=1)], axis=1)
    hottest = int(flat.argmax())
    hot = _window(image, centers[hottest], heat.shape)
    outside = ~(
        (centers[:, 0] > hot[0])
        & (centers[:, 0] < hot[2])
        & (centers[:, 1] > hot[1])
        & (centers[:, 1] < hot[3])
    )
    coldest = int(np.where(outside, flat, np.inf).argmin()) if outside.any() else int(flat.argmin())
    return Crops(image.crop(hot), image.crop(_window(image, centers[coldest], heat.shape)))


def _window(
    image: Image.Image, center: Float[np.ndarray, "2"], grid: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the window about a center, pushed inside the picture."""
    found: list[tuple[int, int]] = []
    for middle, side, cells in zip(center, image.size, (grid[1], grid[0]), strict=True):
        across = min(side, max(SMALLEST, round(side * max(ACROSS, min(3 / cells, 1)))))
        first = int(np.clip(round(float(middle) - across / 2), 0, side - across))
        found.append((first, first + across))
    (left, right), (top, bottom) = found
    return left, top, right, bottom
