"""How a picture of any size goes through a model that takes certain sizes, and back.

Knows sizes, masks and scaling; knows nothing about models. What lies outside of a region comes back bit by bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from tools.editing.backend import Failed, Made, Region
from tools.editing.faults import ASPECT, told

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


@dataclass(frozen=True)
class Frame:
    """A picture in the middle of a page: the page's size, and the box (left, upper, right, lower) that it fills."""

    page: tuple[int, int]
    box: tuple[int, int, int, int]

    @classmethod
    def around(cls, size: tuple[int, int], pages: Sequence[tuple[int, int]]) -> Frame:
        """The page that a picture of that shape fills best, and the largest box of the shape in it."""
        shares = [_inner(size, page) for page in pages]
        best = max(
            range(len(pages)), key=lambda at: (shares[at][0] * shares[at][1]) / (pages[at][0] * pages[at][1])
        )
        (width, height), page = shares[best], pages[best]
        left, upper = (page[0] - width) // 2, (page[1] - height) // 2
        return cls(page, (left, upper, left + width, upper + height))

    @property
    def inner(self) -> tuple[int, int]:
        left, upper, right, lower = self.box
        return right - left, lower - upper

    @property
    def fills(self) -> bool:
        """Whether nothing of the page is left over."""
        return self.inner == self.page

    def laid(self, picture: Image.Image, ground: str | int = "white") -> Image.Image:
        """The page with the picture, which has the box's size, on plain ground."""
        page = Image.new(picture.mode, self.page, ground)
        page.paste(picture, self.box[:2])
        return page

    def cut(self, page: Image.Image) -> Image.Image:
        """What lies in the box."""
        return page if self.fills else page.crop(self.box)


def _inner(size: tuple[int, int], page: tuple[int, int]) -> tuple[int, int]:
    """The largest size of that shape in the page; the whole page where that is nearly its shape (ASPECT)."""
    if abs((size[0] / size[1]) / (page[0] / page[1]) - 1) <= ASPECT:
        return page
    scale = min(page[0] / size[0], page[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


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
