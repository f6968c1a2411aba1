"""What can be wrong with a picture before and after a model edits it, each told in a sentence.

Knows pixels alone: modes, sizes, values. Whether the right thing was changed is verified elsewhere; here a picture is
only kept from being taken for an edit when it can't be one. Nothing is repaired in silence: a note says what was done.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from store.errors import UserError
from tools.editing.backend import Failed, Made, Outcome, Region
from tools.images import plain

SHORTEST = 16
"""Pixels of the shorter side below which no model can edit anything."""
ASPECT = 0.05
"""Share by which width / height may differ before an answer counts as another picture: rounding to a model's multiple
stays below it."""
FLAT = 3
"""Grey levels between a channel's darkest and brightest pixel up to which a picture is one color: compression adds
that much."""
DARK = 16
"""Grey level up to which one color counts as black."""
SAME = 2
"""Grey levels that no pixel may exceed for a picture to count as unchanged."""


def taken_in(picture: Image.Image, region: Region | None = None) -> Image.Image | Failed:
    """The picture as upright RGB: transparency laid on white, inks as colors, 16 bits brought to 8.

    Refuses what has no colors, what is too small to be edited, and a region that does not fit or marks nothing.
    """
    try:
        upright = plain(picture, "the picture")
    except UserError as error:
        return Failed("input", f"{error.message.replace('`the picture`', 'the picture')}; {error.hint}")
    size = told(upright.size)
    if min(upright.size) < SHORTEST:
        return Failed(
            "input", f"the picture of {size} pixels is too small to be edited: both sides need {SHORTEST}"
        )
    if region is not None and region.shape != (upright.height, upright.width):
        height, width = region.shape
        return Failed(
            "input", f"the region of {told((width, height))} pixels does not fit a picture of {size}"
        )
    if region is not None and not region.any():
        return Failed("input", "the region marks no pixel, so nothing may change")
    return upright


def from_values(values: Float[np.ndarray, "height width channel"]) -> Image.Image | Failed:
    """Values from 0 to 1 as a picture; refused when some are no numbers."""
    missing = float((~np.isfinite(values)).any(axis=-1).mean())
    if missing:
        return Failed(
            "nan",
            f"the model computed values that are no numbers in {missing:.1%} of the pixels: half precision often does, "
            "float32 does not",
        )
    levels: UInt8[np.ndarray, "height width channel"] = (values.clip(0, 1) * 255).round().astype(np.uint8)
    return Image.fromarray(levels)


def brought_back(answer: Image.Image, size: tuple[int, int]) -> Outcome:
    """The answer at the size that was asked for, with a note when it came at another one.

    Refused when its shape is another one (ASPECT): nobody could say which pixel became which.
    """
    if answer.size == size:
        return Made(answer)
    came, wanted = answer.width / answer.height, size[0] / size[1]
    if abs(came / wanted - 1) > ASPECT:
        return Failed(
            "shape",
            f"a picture of {told(answer.size)} pixels came back for one of {told(size)}: another shape",
        )
    note = f"came back at {told(answer.size)} pixels and was scaled to {told(size)}"
    return Made(answer.resize(size, Image.Resampling.LANCZOS), (note,))


def blank(answer: Image.Image) -> Failed | None:
    """The failure that a picture of one color is, if it is one."""
    pixels = np.asarray(answer.convert("RGB")).reshape(-1, 3)
    low, high = pixels.min(axis=0).astype(int), pixels.max(axis=0).astype(int)
    if (high - low).max() > FLAT:
        return None
    if high.max() <= DARK:
        return Failed("blank", "the picture that came back is black all over, as safety filters leave it")
    color = "#{:02x}{:02x}{:02x}".format(*pixels.mean(axis=0).round().astype(int))
    return Failed("blank", f"the picture that came back is one color all over ({color})")


def unchanged(answer: Image.Image, given: Image.Image) -> Failed | None:
    """The failure that the given picture is as an answer, if it is it. Both are of one size."""
    gap = np.abs(np.asarray(answer.convert("RGB"), dtype=int) - np.asarray(given.convert("RGB"), dtype=int))
    if gap.max() > SAME:
        return None
    return Failed(
        "unchanged",
        f"the picture came back as it was given: no pixel differs by more than {SAME} of 255 grey levels",
    )


def told(size: tuple[int, int]) -> str:
    """`640×480`."""
    return f"{size[0]}×{size[1]}"
