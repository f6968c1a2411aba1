"""The exemplar index as it is read: memory-mapped arrays, one Entry at a time.

Knows the files and which component stands where in them; knows nothing about how they were made (build.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float16, Float32, Float64, Int32, Int64

from store.address import Address, parse
from store.errors import UserError
from store.records import Reading
from tools.index.entry import Entry, Exemplar, Pooled
from tools.index.manifest import Manifest, broken, read_manifest
from tools.pools import POOLS, side_of

COMPONENTS = "components.txt"
SAMPLE_FILE = "sample.npy"


class Arrays(NamedTuple):
    """What the files hold. `low` holds values as they are, smallest first; `sample` is multiplied by `scale`."""

    top_values: Float32[np.ndarray, "pool component depth"]
    top_numbers: Int32[np.ndarray, "pool component depth"]
    low_values: Float32[np.ndarray, "pool component depth"]
    low_numbers: Int32[np.ndarray, "pool component depth"]
    n: Int64[np.ndarray, "pool component"]
    mean: Float64[np.ndarray, "pool component"]
    sd: Float32[np.ndarray, "pool component"]
    fires: Float64[np.ndarray, "pool component"]
    fires_low: Float64[np.ndarray, "pool component"]
    dead: Bool[np.ndarray, "component"]
    sample: Float16[np.ndarray, "component pool place"]
    scale: Float32[np.ndarray, "component pool"]
    sample_numbers: Int32[np.ndarray, "place"]


@dataclass(frozen=True, eq=False)
class ExemplarIndex:
    """Every component of a target over one image source. Stimulus numbers are those of `ImageSource.asked`."""

    manifest: Manifest
    components: tuple[Address, ...]
    arrays: Arrays

    @cached_property
    def places(self) -> dict[Address, int]:
        return {address: place for place, address in enumerate(self.components)}

    @cached_property
    def broken(self) -> frozenset[Address]:
        """Components that gave no finite number on some stimulus."""
        places = np.flatnonzero((np.asarray(self.arrays.n) < 0).any(axis=0))
        return frozenset(self.components[place] for place in places)

    @property
    def sample_numbers(self) -> Int32[np.ndarray, "place"]:
        """The stimuli of the fixed sample, ascending."""
        return self.arrays.sample_numbers

    def __len__(self) -> int:
        return len(self.components)

    def __contains__(self, address: Address) -> bool:
        return address in self.places

    def entry(self, address: Address) -> Entry:
        """What is known of one component. Raises UserError of kind "address" for one that is not in the index."""
        place = self._place(address)
        pools = {name: self._pooled(row, place) for row, name in enumerate(POOLS)}
        return Entry(address, pools, bool(self.arrays.dead[place]))

    def sample(
        self, addresses: Sequence[Address], reading: Reading
    ) -> Float32[np.ndarray, "place component"]:
        """Values on the fixed sample, turned as `reading` says; relative error up to 5e-4 of a column's largest."""
        at = [self._place(address) for address in addresses]
        chosen = side_of(reading)
        scale = self.arrays.scale[at, chosen.row] * np.float32(chosen.sign)
        values: Float32[np.ndarray, "component place"] = self.arrays.sample[at, chosen.row].astype(np.float32)
        return (values * scale[:, None]).T

    def _place(self, address: Address) -> int:
        if address not in self.places:
            raise UserError(
                f"`{address}` is not in the index of `{self.manifest.target}`",
                kind="address",
                hint="neurons and heads are indexed; name one of those",
            )
        return self.places[address]

    def _pooled(self, row: int, place: int) -> Pooled:
        arrays = self.arrays
        return Pooled(
            top=_exemplars(arrays.top_numbers[row, place], arrays.top_values[row, place]),
            bottom=_exemplars(arrays.low_numbers[row, place], arrays.low_values[row, place]),
            n=int(arrays.n[row, place]),
            mean=float(arrays.mean[row, place]),
            sd=float(arrays.sd[row, place]),
            fires=float(arrays.fires[row, place]),
            fires_low=float(arrays.fires_low[row, place]),
            sample_numbers=np.asarray(arrays.sample_numbers),
            sample=arrays.sample[place, row].astype(np.float32) * arrays.scale[place, row],
        )


def load_index(
    folder: Path, *, fingerprint: str | None = None, images_fingerprint: str | None = None
) -> ExemplarIndex:
    """The finished index in a folder, memory-mapped.

    Raises UserError of kind "index" when there is none, or it was made from other weights or pictures than the given
    fingerprints.
    """
    manifest = read_manifest(folder)
    for name, expected, found in (
        ("weights", fingerprint, manifest.fingerprint),
        ("pictures", images_fingerprint, manifest.images_fingerprint),
    ):
        if expected is not None and expected != found:
            raise UserError(
                f"the index in `{folder}` was made from other {name} (`{found[:12]}`, not `{expected[:12]}`)",
                kind="index",
                hint="run `maieutic index TARGET` to make the one that is needed",
            )
    try:
        arrays = Arrays(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in Arrays._fields))
        lines = (folder / COMPONENTS).read_text(encoding="utf-8").splitlines()
    except (OSError, EOFError, ValueError) as error:
        raise broken(folder) from error
    return ExemplarIndex(manifest, tuple(parse(line) for line in lines), arrays)


def _exemplars(
    numbers: Int32[np.ndarray, "depth"], values: Float32[np.ndarray, "depth"]
) -> tuple[Exemplar, ...]:
    return tuple(
        Exemplar(int(number), float(value))
        for number, value in zip(numbers, values, strict=True)
        if number >= 0
    )
