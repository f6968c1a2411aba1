"""Activations measured ahead are those that would have been measured, once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from PIL import Image

from store.address import Address
from tools.pools import POOLS
from tools.prepared import Prepared
from tools.stimuli import Stimulus

UNITS = [Address("vision", 1, "mlp", index) for index in range(3)]
STIMULI = [Stimulus(f"train/{n}", Image.new("RGB", (4, 4), (n, 0, 0))) for n in range(70)]


class Counting:
    """Values from addresses and pixels; counts what it measures."""

    def __init__(self) -> None:
        self.forwards = 0

    def pooled(
        self, addresses: Sequence[Address], stimuli: Sequence[Stimulus]
    ) -> Float32[np.ndarray, "pool stimulus component"]:
        self.forwards += len(stimuli)
        red = [np.asarray(stimulus.image)[0, 0, 0] for stimulus in stimuli]
        table = np.outer(red, [1 + (address.index or 0) for address in addresses])
        return np.repeat(table[None].astype(np.float32), len(POOLS), axis=0)

    def maps(
        self, address: Address, stimuli: Sequence[Stimulus]
    ) -> Float32[np.ndarray, "stimulus rows columns"]:
        self.forwards += len(stimuli)
        return np.zeros((len(stimuli), 2, 2), dtype=np.float32)


def test_what_was_prepared_is_read_and_not_measured_again(tmp_path: Path) -> None:
    source = Counting()
    prepared = Prepared(source, tmp_path)
    prepared.prepare("train", UNITS, STIMULI)
    assert source.forwards == len(STIMULI)
    chosen = prepared.pooled([UNITS[2], UNITS[0]], [STIMULI[5], STIMULI[3]])
    assert source.forwards == len(STIMULI)
    assert np.array_equal(chosen, Counting().pooled([UNITS[2], UNITS[0]], [STIMULI[5], STIMULI[3]]))


def test_what_no_block_holds_is_measured(tmp_path: Path) -> None:
    source = Counting()
    prepared = Prepared(source, tmp_path)
    prepared.prepare("train", UNITS[:1], STIMULI[:4])
    prepared.pooled(UNITS[1:2], STIMULI[:2])
    prepared.pooled(UNITS[:1], STIMULI[3:6])
    assert source.forwards == 4 + 2 + 3


def test_a_block_outlives_the_process(tmp_path: Path) -> None:
    first = Prepared(Counting(), tmp_path).prepare("train", UNITS, STIMULI)
    again = Counting()
    second = Prepared(again, tmp_path).prepare("train", UNITS, STIMULI)
    assert again.forwards == 0
    assert np.array_equal(first.values, second.values)


def test_it_knows_what_it_holds(tmp_path: Path) -> None:
    prepared = Prepared(Counting(), tmp_path)
    prepared.prepare("train", UNITS[:2], STIMULI[:4])
    assert prepared.holds(UNITS[1], STIMULI[1:3])
    assert not prepared.holds(UNITS[2], STIMULI[1:3]) and not prepared.holds(UNITS[1], STIMULI[3:5])
