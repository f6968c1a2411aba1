"""Sweeps that engines are timed on, and the fewest operations that each can take.

A job is a plan for ours, and single cells, each one full forward pass, for a loop. Knows plans and shapes; knows
nothing about time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tools.engine.engine import Engine
from tools.engine.plan import Intervention, Knockout, Plan, Row, Swap
from tools.stimuli import Stimulus
from tools.targets.sites import Site

JobName = Literal[
    "residual, all positions", "residual, last 32", "heads at the last", "knockout from the last"
]
LAST = 32


@dataclass(frozen=True, slots=True)
class Cell:
    """What one run does: at a layer, to the residual stream at a position, or to a head at the last position."""

    layer: int
    position: int
    head: int | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """`stride` of positions is 1 where the sweep is whole. `cuts`: edges to the picture are cut instead of a swap."""

    name: JobName
    cells: tuple[Cell, ...]
    cuts: bool
    stride: int = 1

    def plan(self, stimuli: Sequence[Stimulus]) -> Plan:
        """One row a cell, of the first stimulus; swaps take from the second."""
        return Plan(stimuli if not self.cuts else stimuli[:1], [self._row(cell) for cell in self.cells])

    def _row(self, cell: Cell) -> Row:
        if self.cuts:
            return Row(0, (), (Knockout(cell.layer, cell.head, "answer", "visual"),))
        site = Site("resid_pre" if cell.head is None else "attn.z", "language", cell.layer)
        return Row(0, (Intervention(site, cell.head, (cell.position,), Swap(1)),))


def jobs(layers: int, heads: int, positions: int, stride: int) -> list[Job]:
    """The four sweeps; that over all positions takes every `stride`-th of them."""
    last = positions - 1
    every_head = tuple(Cell(layer, last, head) for layer in range(layers) for head in range(heads))
    everywhere = tuple(
        Cell(layer, position) for position in range(last, -1, -stride) for layer in range(layers)
    )
    ending = tuple(
        Cell(layer, position) for position in range(positions - LAST, positions) for layer in range(layers)
    )
    return [
        Job("residual, all positions", everywhere, False, stride),
        Job("residual, last 32", ending, False),
        Job("heads at the last", every_head, False),
        Job("knockout from the last", every_head, True),
    ]


def floor(job: Job, engine: Engine, stimuli: Sequence[Stimulus]) -> int:
    """Operations of the untouched runs that a job needs, and of each cell's own positions from its layer on.

    Nothing that runs exactly can take fewer products of the usual kind. Each position is counted with all keys of its
    row, as the loops' are: kernels that skip the keys behind a query save a part of that in both.
    """
    batch = engine.adapter.batch(stimuli)
    decoder = engine.adapter.decoder()
    if decoder is None:
        raise ValueError("a floor is known of decoders alone")
    width = batch.width("language")
    untouched = (1 if job.cuts else 2) * engine.adapter.flops(batch)
    cells = sum(
        decoder.flops(slice(cell.layer, None), width - cell.position, width) + decoder.head_flops
        for cell in job.cells
    )
    return untouched + cells
