"""Activations measured ahead: one pass over a collection for all components of a run, kept, read as often as needed.

Knows blocks of components × stimuli and where they lie on disk; knows nothing about how activations are measured or
what they are for. What no block holds is measured by the source behind it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from store.address import Address
from tools.activations import ActivationSource
from tools.stimuli import Stimulus

AT_ONCE = 64
"""Stimuli between two reports of progress."""
Progress = Callable[[str, int, int], None]


class Block(NamedTuple):
    """Pooled values of some components on some stimuli, which are named by their hashes."""

    columns: dict[Address, int]
    rows: dict[str, int]
    values: Float32[np.ndarray, "pool stimulus component"]


class Prepared:
    """An ActivationSource over another one."""

    def __init__(self, source: ActivationSource, folder: Path | None = None) -> None:
        self.source = source
        self.folder = folder
        self.blocks: list[Block] = []

    def prepare(
        self,
        name: str,
        addresses: Sequence[Address],
        stimuli: Sequence[Stimulus],
        progress: Progress = lambda *_: None,
    ) -> Block:
        """Measures a block, or reads it where this very block has been measured before; `name` is told to people."""
        columns = {address: place for place, address in enumerate(addresses)}
        rows = {stimulus.sha256: place for place, stimulus in enumerate(stimuli)}
        path = self.folder / f"{_digest([*map(str, columns), *rows])}.npy" if self.folder else None
        if path is not None and path.is_file():
            values = np.load(path)
        else:
            parts = []
            for start in range(0, len(stimuli), AT_ONCE):
                parts.append(self.source.pooled(addresses, stimuli[start : start + AT_ONCE]))
                progress(name, min(start + AT_ONCE, len(stimuli)), len(stimuli))
            values = np.concatenate(parts, axis=1)
            if path is not None and not np.isinf(values).any():  # a passing fault of a device is not kept
                path.parent.mkdir(parents=True, exist_ok=True)
                partial = path.with_suffix(".partial.npy")
                np.save(partial, values)
                partial.replace(path)
        block = Block(columns, rows, values)
        self.blocks.append(block)
        return block

    def holds(self, address: Address, stimuli: Sequence[Stimulus]) -> bool:
        """Whether some block has the component on all of these stimuli."""
        return any(
            address in block.columns and all(stimulus.sha256 in block.rows for stimulus in stimuli)
            for block in self.blocks
        )

    def pooled(
        self, addresses: Sequence[Address], stimuli: Sequence[Stimulus]
    ) -> Float32[np.ndarray, "pool stimulus component"]:
        for block in self.blocks:
            if all(address in block.columns for address in addresses) and all(
                stimulus.sha256 in block.rows for stimulus in stimuli
            ):
                rows = [block.rows[stimulus.sha256] for stimulus in stimuli]
                columns = [block.columns[address] for address in addresses]
                return block.values[:, rows][:, :, columns]
        return self.source.pooled(addresses, stimuli)

    def maps(
        self, address: Address, stimuli: Sequence[Stimulus]
    ) -> Float32[np.ndarray, "stimulus rows columns"]:
        return self.source.maps(address, stimuli)


def _digest(words: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:32]
