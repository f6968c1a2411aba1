"""How much two pictures differ outside the region that an edit was to change: in pixels, and to the eye.

Pure functions of pictures. The structural similarity is Wang et al. 2004 (SSIM: Gaussian window of 11 pixels, σ = 1.5,
K₁ = .01, K₂ = .03, on gray values).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from PIL import Image
from torch import Tensor

MARGIN = 4
"""Pixels around the region that may blur."""
WINDOW = 8
"""Side in pixels of the squares of which the worst is reported: about half a small thing."""
TAPS, SIGMA = 11, 1.5
C1, C2 = 0.01**2, 0.03**2


class Difference(NamedTuple):
    """Mean |Δ| of pixel values from 0 to 1 inside and outside the region and in the worst square outside; SSIM outside.

    `inside` is 0 for an empty region; `outside` and `similarity` are those of untouched pictures (0 and 1) where
    nothing lies outside; `worst` is None where no whole square does.
    """

    inside: float
    outside: float
    worst: float | None
    similarity: float


def difference(
    before: Image.Image, after: Image.Image, region: Bool[np.ndarray, "height width"] | None
) -> Difference:
    """What differs between two pictures of one size; without a region everything lies outside.

    Raises ValueError when sizes differ.
    """
    if before.size != after.size:
        raise ValueError(f"pictures of {before.size} and {after.size} can't be compared pixel by pixel")
    first, second = _pixels(before), _pixels(after)
    delta = (first - second).abs().mean(0)
    marked = torch.zeros_like(delta, dtype=torch.bool)
    if region is not None:
        marked = torch.from_numpy(np.ascontiguousarray(region))
    free = ~_widened(marked, MARGIN)
    return Difference(
        _mean(delta, marked, 0.0),
        _mean(delta, free, 0.0),
        _worst(delta, free),
        _mean(_similarity(_gray(first), _gray(second)), free, 1.0),
    )


def _pixels(picture: Image.Image) -> Float[Tensor, "3 height width"]:
    pixels = np.array(picture.convert("RGB"), dtype=np.float32) / 255
    return torch.from_numpy(pixels).permute(2, 0, 1)


def _gray(pixels: Float[Tensor, "3 height width"]) -> Float[Tensor, "height width"]:
    """Luma of ITU-R BT.601."""
    return (pixels * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(0)


def _widened(marked: Tensor, by: int) -> Tensor:
    return F.max_pool2d(marked[None].float(), 2 * by + 1, 1, by)[0] > 0


def _mean(values: Float[Tensor, "height width"], where: Tensor, empty: float) -> float:
    return float(values[where].mean()) if bool(where.any()) else empty


def _worst(delta: Float[Tensor, "height width"], free: Tensor) -> float | None:
    """The largest mean of |Δ| in a square that lies outside as a whole, if there is one."""
    side = min(WINDOW, *delta.shape)
    means = F.avg_pool2d(delta[None], side, max(side // 2, 1))[0]
    whole = F.avg_pool2d(free[None].float(), side, max(side // 2, 1))[0] == 1
    return float(means[whole].max()) if bool(whole.any()) else None


def _similarity(
    first: Float[Tensor, "height width"], second: Float[Tensor, "height width"]
) -> Float[Tensor, "height width"]:
    """SSIM around every pixel; beyond the border pictures are mirrored (repeated where they are smaller than that)."""
    mean_1, mean_2 = _blurred(first), _blurred(second)
    var_1 = _blurred(first**2) - mean_1**2
    var_2 = _blurred(second**2) - mean_2**2
    shared = _blurred(first * second) - mean_1 * mean_2
    above = (2 * mean_1 * mean_2 + C1) * (2 * shared + C2)
    return above / ((mean_1**2 + mean_2**2 + C1) * (var_1 + var_2 + C2))


def _blurred(values: Float[Tensor, "height width"]) -> Float[Tensor, "height width"]:
    taps = torch.exp(-0.5 * ((torch.arange(TAPS) - TAPS // 2) / SIGMA) ** 2)
    kernel = torch.outer(taps, taps) / taps.sum() ** 2
    half = TAPS // 2
    mode = "reflect" if min(values.shape) > half else "replicate"
    padded = F.pad(values[None, None], (half, half, half, half), mode=mode)
    return F.conv2d(padded, kernel[None, None])[0, 0]
