"""A small image source of random pictures, and a source of activations that are known beforehand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float32
from PIL import Image

from store.address import Address, Extent, Layers
from store.records import Split
from tools.pools import POOLS
from tools.stimuli import Stimulus

SIDE = 28
QUESTIONS = ("what color is the star ?", "what shape is the red ?", "is the circle blue red star ?", "what ?")


class RandomPictures:
    """`size` pictures of noise, each asked one of a few questions of different length."""

    name = "noise"
    split: Split = "train"
    kinds: tuple[str, ...] = ()

    def __init__(self, size: int, seed: int = 0) -> None:
        self._size, self._seed = size, seed
        self.fingerprint = hashlib.sha256(f"{size}|{seed}".encode()).hexdigest()

    def __len__(self) -> int:
        return self._size

    def picture(self, index: int, /) -> Stimulus:
        pixels = np.random.default_rng([self._seed, index]).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
        return Stimulus(f"noise/{index}", Image.fromarray(pixels))

    def asked(self, index: int, /) -> Stimulus:
        return Stimulus(f"noise/{index}", self.picture(index).image, QUESTIONS[index % len(QUESTIONS)])

    def ask(self, kind: str, n: int, seed: int, /) -> list[Stimulus]:
        return []


EXTENT = Extent("known", {"vision": Layers(1, 4, 1), "language": Layers(1, 6, 1)})
ADDRESSES = tuple(EXTENT.all())


def known_values(size: int, seed: int = 0) -> Float32[np.ndarray, "pool stimulus component"]:
    """Values of EXTENT's components: the last neuron of each tower never moves, vision has no question."""
    values = np.random.default_rng(seed).normal(size=(len(POOLS), size, len(ADDRESSES))).astype(np.float32)
    values = np.round(values, 1)  # so that many are equal
    values[:, :, 3] = 0.25
    values[:, :, 10] = 0
    values[3:, :, :5] = np.nan
    return values


class KnownActivations:
    """Reads values off a table by the number in a stimulus's key; `before` is called ahead of every reading."""

    def __init__(self, values: np.ndarray, before: Callable[[int], None] = lambda forwards: None) -> None:
        self._values, self._before = values, before
        self.forwards = 0

    def pooled(
        self, addresses: Sequence[Address], stimuli: Sequence[Stimulus], /
    ) -> Float32[np.ndarray, "pool stimulus component"]:
        self._before(self.forwards)
        self.forwards += len(stimuli)
        rows = [int(stimulus.key.rpartition("/")[2]) for stimulus in stimuli]
        columns = [ADDRESSES.index(address) for address in addresses]
        return self._values[:, rows][:, :, columns]

    def maps(
        self, address: Address, stimuli: Sequence[Stimulus], /
    ) -> Float32[np.ndarray, "stimulus rows columns"]:
        return np.zeros((len(stimuli), 1, 1), np.float32)
