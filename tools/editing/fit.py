"""How a picture of any size goes through a model that takes certain sizes, and back.

Knows sizes, masks and scaling; knows nothing about models. What lies outside of a region comes back bit by bit.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from tools.editing.backend import Failed, Made, Region
from tools.editing.faults import told

BENT = 0.2
"""Share by which rounding to the model's multiple may change a picture's shape; very long and thin ones go beyond."""


def working_size(size: tuple[int, int], longest: int | None, multiple: int) -> tuple[int, int] | Failed:
    """The size at which a model of that multiple works on a picture of `size`, both (width, height).

    The longer side becomes `longest` (None: stays), each is rounded to the multiple. Refuses a shape that this bends.
    """
    scale = 1.0 if longest is None else longest / max(size)
    width, height = (max(multiple, round(side * scale / multiple) * multiple) for side in size)
    if abs((width / height) / (size[0] / size[1]) - 1) > BENT:
        return Failed(
            "input",
            f"a picture of {told(size)} pixels is too long and thin for a model that works on {told((width, height))}",
        )
    return width, height


def scaled(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture at `size`; itself when it has that size."""
    return picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS)


def mask(region: Region, size: tuple[int, int]) -> Image.Image:
    """The region at `size` as a picture, white where something may change: every pixel that it touches."""
    marked = Image.fromarray(region.astype(np.uint8) * 255)
    wide = marked if marked.size == size else marked.resize(size, Image.Resampling.BOX)
    return wide.point(lambda level: 255 if level else 0)


def put_back(made: Made, source: Image.Image, region: Region | None) -> Made:
    """What a model made of `source` at its working size, at the source's own, with the source outside of the region."""
    notes = made.notes
    if made.image.size != source.size:
        notes += (f"was edited at {told(made.image.size)} pixels and scaled back to {told(source.size)}",)
    image = scaled(made.image, source.size)
    if region is not None:
        image = Image.composite(image, source, mask(region, source.size))
        notes += ("keeps the given picture's own pixels outside of the region",)
    return Made(image, notes, made.money)
