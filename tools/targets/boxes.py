"""From visual tokens back to pixels: which box of a picture each patch covers.

Knows the steps of transformers' CLIP image processors (resize, crop at the center); pure geometry otherwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tools.targets.adapter import Grid
from tools.targets.describe import Sight


def boxes(processor: Any, sight: Sight, width: int, height: int) -> Grid:
    """The boxes of a picture of `width` × `height` pixels; where a crop cuts off its edges, no box covers them."""
    wide, high = _resized(processor, sight, width, height)
    left, top = 0.0, 0.0
    if processor.do_center_crop:
        left, top = (wide - sight.image_size) // 2, (high - sight.image_size) // 2
    rows, columns = sight.grid
    row, column = np.divmod(np.arange(rows * columns), columns)
    corners = np.stack([column, row, column + 1, row + 1], axis=1) * float(sight.patch)
    corners += np.array([left, top, left, top])
    corners *= np.array([width / wide, height / high] * 2)
    return Grid(rows, columns, np.clip(corners, 0.0, [width, height, width, height]))


def even(rows: int, columns: int, width: int, height: int) -> Grid:
    """The boxes of a picture of `width` × `height` pixels that is stretched to fill a grid."""
    row, column = np.divmod(np.arange(rows * columns), columns)
    corners = np.stack([column, row, column + 1, row + 1], axis=1)
    return Grid(rows, columns, corners * np.array([width / columns, height / rows] * 2))


def _resized(processor: Any, sight: Sight, width: int, height: int) -> tuple[int, int]:
    """Width and height before the crop."""
    if not processor.do_resize:
        return width, height
    shortest = _get(processor.size, "shortest_edge")
    if shortest is None:
        return _get(processor.size, "width") or sight.image_size, _get(
            processor.size, "height"
        ) or sight.image_size
    if width <= height:
        return shortest, int(shortest * height / width)
    return int(shortest * width / height), shortest


def _get(size: Any, name: str) -> int | None:
    value = size.get(name) if isinstance(size, dict) else getattr(size, name, None)
    return None if value is None else int(value)
