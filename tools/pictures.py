"""Pictures of where a component looks: a heat map laid over a picture, and sheets of several pictures, as PNG bytes.

Knows pixels and maps; knows nothing about models. Heat is shown as light, never as hue, so that the picture's own
colors stay and every eye sees it: cold places fade to dark grey, hot ones keep their color, a line runs round what is
above half of the scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from jaxtyping import Float, Float32
from PIL import Image

LEAST_SIDE = 224
"""Pixels of an overlay's shorter side, at least: small pictures are enlarged."""
COLD = 0.45
"""Brightness that is left where the map is zero."""
LINE = 0.5
"""Share of the scale at which the line runs."""
GAP = 6
"""Pixels between the pictures of a sheet."""


def png(image: Image.Image) -> bytes:
    """The picture as PNG, the same bytes for the same pixels."""
    buffer = BytesIO()
    image.convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def overlay(
    image: Image.Image, heat: Float[np.ndarray, "rows columns"], scale: float | None = None
) -> Image.Image:
    """The picture with the map laid over it; `scale` is the activation that counts as full heat (default: the map's
    largest). Negative and missing values are cold."""
    plain = _enlarged(image.convert("RGB"))
    warmth = _spread(heat, plain.size, scale)
    pixels = np.asarray(plain, dtype=np.float32)
    grey = np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2)
    shown = warmth[..., None] * pixels + (1 - warmth[..., None]) * COLD * grey
    shown[_edge(warmth >= LINE)] = 255
    return Image.fromarray(shown.round().astype(np.uint8))


def sheet(images: Sequence[Image.Image], columns: int = 5) -> Image.Image:
    """Pictures side by side on white, row by row, each as large as the largest allows."""
    if not images:
        raise ValueError("a sheet needs at least one picture")
    width, height = (max(sizes) for sizes in zip(*(image.size for image in images), strict=True))
    across = min(columns, len(images))
    down = -(-len(images) // across)
    size = (across * (width + GAP) - GAP, down * (height + GAP) - GAP)
    page = Image.new("RGB", size, "white")
    for place, image in enumerate(images):
        row, column = divmod(place, across)
        page.paste(image.convert("RGB"), (column * (width + GAP), row * (height + GAP)))
    return page


def _enlarged(image: Image.Image) -> Image.Image:
    factor = -(-LEAST_SIDE // min(image.size))
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.BICUBIC)


def _spread(
    heat: Float[np.ndarray, "rows columns"], size: tuple[int, int], scale: float | None
) -> Float32[np.ndarray, "height width"]:
    """The map over all pixels, from 0 (cold) to 1."""
    warm = np.nan_to_num(np.asarray(heat, dtype=np.float32), nan=0.0).clip(min=0)
    full = float(warm.max(initial=0.0)) if scale is None else scale
    if full <= 0:
        return np.zeros((size[1], size[0]), np.float32)
    wide = Image.fromarray((warm / full).clip(0, 1), mode=None).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(wide, dtype=np.float32).clip(0, 1)


def _edge(inside: np.ndarray) -> np.ndarray:
    """The outermost two pixels of what is inside."""
    core = inside.copy()
    for _ in range(2):
        padded = np.pad(core, 1, mode="edge")
        core = core & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return inside & ~core
