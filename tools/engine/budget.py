"""How many rows may run together, and how much may be kept, by what the device has free when it is asked.

A row's need is counted: the largest tensors that one layer holds at once. On a CPU more than CACHED positions at once
are not faster, so memory speaks there only where it is scarce. Knows adapters and batches; knows nothing about plans.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import torch

from store.address import Tower
from store.errors import UserError
from tools.engine.free import free_bytes
from tools.targets.adapter import Adapter
from tools.targets.batch import Batch, Space
from tools.targets.sites import Site

ROWS = 32
"""Rows at once on a CPU, at most: further ones take no less time each."""
CACHED = 4096
"""Positions at once on a CPU: a step's tensors then stay below what is fetched anew from the system every time."""
POSITIONS = 1 << 16
"""Positions at once on an accelerator, at most."""
SHARE = 2
"""One part in so many of what is free goes to the rows that run: the rest is for what is counted too low."""
KEPT_SHARE, KEPT = 16, 1 << 28
"""One part in so many of what is free may be kept of untouched runs, or these bytes where they are more and one part in
SHARE."""


@dataclass(frozen=True, slots=True)
class Room:
    """What one row takes at least, what is free (both in bytes), and how many rows run at once."""

    need: int
    free: int
    rows: int

    def __str__(self) -> str:
        what = "row" if self.rows == 1 else "rows"
        return (
            f"at once at most the positions of {self.rows} whole {what}, of {size(self.need)} each, "
            f"while {size(self.free)} are free"
        )


class Budget:
    """Asks the adapter's device whenever rows are to run. `rows`: so many at once, whatever is free."""

    def __init__(self, adapter: Adapter, rows: int | None = None) -> None:
        self._adapter = adapter
        self._rows = rows

    def room(self, batch: Batch, opened: Collection[Tower] = ()) -> Room:
        """For rows of a batch; `opened` are the towers in which patterns are made."""
        device = self._adapter.target.device
        need, free = row_bytes(self._adapter, batch, opened), free_bytes(device)
        if self._rows is not None:
            return Room(need, free, self._rows)
        width = max(batch.width("language"), 1)
        most = min(ROWS, CACHED // width) if device.type == "cpu" else POSITIONS // width
        return Room(need, free, max(min(most, free // SHARE // need), 1))

    def checked(self, batch: Batch, opened: Collection[Tower] = ()) -> Room:
        """The same. Raises UserError of kind "memory" where even one row needs more than there is."""
        room = self.room(batch, opened)
        if room.need > room.free:
            raise too_large(room.need, room.free)
        return room


def row_bytes(adapter: Adapter, batch: Batch, opened: Collection[Tower] = ()) -> int:
    """What one row takes at least: its inputs, and the largest tensors that one layer holds at once (the stream three
    times, queries, keys, values, what the heads give, the MLP's neurons three times; patterns in three versions)."""
    item = adapter.target.model.dtype.itemsize
    found = [0]
    for tower, layers in adapter.extent().towers.items():
        space: Space = "vision" if tower == "vision" else "language"
        positions = batch.width(space)
        stream = adapter.tap(Site("attn.out", tower, 0)).width
        patterns = layers.heads * positions * (2 * item + 4) if tower in opened else 0
        found.append(positions * (item * (7 * stream + 3 * layers.neurons) + patterns))
    inputs = sum(tensor.nbytes for tensor in batch.inputs.values()) // max(len(batch), 1)
    return max(found) + inputs


def kept_bytes(device: torch.device) -> int:
    """How much of untouched runs may be kept."""
    free = free_bytes(device)
    return max(free // KEPT_SHARE, min(KEPT, free // SHARE))


def too_large(need: int, free: int, asked: str = "") -> UserError:
    """What is said where not even one row fits. `asked`: torch's own words."""
    told = f"; torch says: {asked}" if asked else ""
    return UserError(
        f"one row alone does not fit into the device's memory: it takes at least {size(need)}, "
        f"and {size(free)} are free{told}",
        kind="memory",
        hint="give `--dtype bfloat16`, a device with more memory, or smaller pictures",
    )


def size(number: int) -> str:
    """Bytes in words."""
    for unit, each in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= each:
            return f"{number / each:.3g} {unit}"
    return f"{number} bytes"
