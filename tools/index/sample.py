"""The fixed sample: the same stimuli for every component, so that whole distributions can be compared.

Knows how the sample is drawn, where its rows lie while stimuli stream past, and how its values are kept in the end, in
two bytes each. Knows nothing about components.
"""

from __future__ import annotations

import os
from pathlib import Path
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


class Staged:
    """Rows of the sample on disk while the index is built: writing one a second time changes nothing."""

    def __init__(self, path: Path, places: int, pools: int, components: int) -> None:
        self.shape = (places, pools, components)
        self._path = path

    def put(
        self, places: Int32[np.ndarray, "row"], values: Float32[np.ndarray, "pool row component"]
    ) -> None:
        with self._path.open("r+b" if self._path.exists() else "w+b") as file:
            for row, place in enumerate(places):
                data = np.ascontiguousarray(values[:, row])
                file.seek(int(place) * data.nbytes)
                file.write(data.tobytes())

    def flush(self) -> None:
        """Returns when everything put so far is on the disk."""
        with self._path.open("r+b") as file:
            os.fsync(file.fileno())

    def columns(self, block: slice) -> Float32[np.ndarray, "component pool place"]:
        """Some components' values at all places."""
        rows = np.memmap(self._path, np.float32, "r", shape=self.shape)
        return np.ascontiguousarray(np.asarray(rows[:, :, block]).transpose(2, 1, 0))
