"""The fixed sample: the same stimuli for every component, so that whole distributions can be compared.

Knows how the sample is drawn and how its values are kept in two bytes each. Knows nothing about components.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float16, Float32, Int32

SAMPLE = 512
"""Stimuli in the sample; fewer where the stream is shorter."""


def streamed(available: int, limit: int | None, seed: int) -> Int32[np.ndarray, "stimulus"]:
    """The numbers of the stimuli to stream, ascending: all, or `limit` of them drawn by the seed."""
    if limit is None or limit >= available:
        return np.arange(available, dtype=np.int32)
    drawn = np.random.default_rng([seed, 1]).choice(available, limit, replace=False)
    return np.sort(drawn).astype(np.int32)


def sampled(
    stream: Int32[np.ndarray, "stimulus"], seed: int, size: int = SAMPLE
) -> Int32[np.ndarray, "place"]:
    """Which places of the stream belong to the sample, ascending."""
    drawn = np.random.default_rng([seed, 2]).choice(len(stream), min(size, len(stream)), replace=False)
    return np.sort(drawn).astype(np.int32)


class Halved(NamedTuple):
    """Values as `scale` × half-precision numbers in [−1, 1]: a relative error of 5e-4 of the largest, at any scale."""

    half: Float16[np.ndarray, "component pool place"]
    scale: Float32[np.ndarray, "component pool"]


def halved(values: Float32[np.ndarray, "component pool place"]) -> Halved:
    """Values in two bytes each; NaN stays NaN."""
    largest = np.nan_to_num(np.abs(values), nan=0.0).max(axis=-1)
    scale = np.where(largest > 0, largest, 1).astype(np.float32)
    return Halved((values / scale[..., None]).astype(np.float16), scale)
