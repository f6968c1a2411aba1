"""What is known of stimuli before anything is done to them: inputs, encoded pictures, streams at entrances.

Each is kept for plans on the same stimuli. A stream is made from the last one before it that is there, so that no layer
runs twice for the same stimuli while there is room. Knows nothing about plans.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import partial
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from tools.engine.kept import Kept
from tools.engine.weights import Weights
from tools.stimuli import Stimulus
from tools.targets.adapter import Adapter, Halted
from tools.targets.batch import Batch
from tools.targets.sites import Site

MULTIPLE = 8
"""Rows run in multiples of this, so that a row's result does not hang on its company."""
SHARE = 4
"""Streams that are passed on the way are kept too where all of a set's take at most one part in so many."""

Stretch = tuple[Site | None, Site]
"""From one entrance to another; None stands for the inputs."""


class Untouched:
    """Untouched runs of sets of stimuli, each under its `name`, as far as they are asked for. `line` always holds the
    entrances that a run of the batch passes, in order."""

    def __init__(self, adapter: Adapter, rows_at_once: int, limit: int) -> None:
        self._adapter = adapter
        self._rows_at_once = rows_at_once
        self._kept = Kept(limit)
        self._weights = Weights(adapter.target.model)

    def name(self, stimuli: Sequence[Stimulus]) -> Hashable:
        """The stimuli and the weights as they are now: a target may be changed while an engine is at work on it."""
        return self._weights.state(), *(stimulus.sha256 for stimulus in stimuli)

    def batch(self, name: Hashable, stimuli: Sequence[Stimulus]) -> Batch:
        """The stimuli as tensors."""
        return self._kept.get((name, "inputs"), partial(self._adapter.batch, stimuli))

    def encoded(self, name: Hashable, batch: Batch) -> Batch:
        """The same with their pictures encoded."""

        def make() -> Batch:
            parts = []
            for numbers in blocks(len(batch), self._rows_at_once):
                part = self._adapter.encoded(batch.rows(padded(numbers)))
                parts.append(part.rows(range(len(numbers))))
            return Batch.joined(parts)

        return self._kept.get((name, "encoded"), make)

    def is_encoded(self, name: Hashable) -> bool:
        """Whether their encoded pictures are kept."""
        return (name, "encoded") in self._kept

    def fits(self, batch: Batch, line: Sequence[Site]) -> bool:
        """Whether there is room for the largest of the batch's streams."""
        return all(self._bytes(batch, [entrance]) <= self._kept.limit for entrance in line)

    def missing(
        self, name: Hashable, batch: Batch, line: Sequence[Site], wanted: Iterable[Site]
    ) -> list[Stretch]:
        """What has to run, in order, before the streams at the wanted entrances are there."""
        have = {entrance for entrance in line if (name, entrance) in self._kept}
        step_by_step = self._bytes(batch, line) * SHARE <= self._kept.limit
        stretches: list[Stretch] = []

        def reach(entrance: Site) -> None:
            if entrance in have:
                return
            before = line[: line.index(entrance)]
            usable = before if step_by_step else [one for one in before if one in have]
            if usable:
                reach(usable[-1])
            stretches.append((usable[-1] if usable else None, entrance))
            have.add(entrance)

        for entrance in sorted(set(wanted), key=line.index):
            reach(entrance)
        return stretches

    def streams(
        self, name: Hashable, batch: Batch, line: Sequence[Site], wanted: Iterable[Site]
    ) -> dict[Site, Float[Tensor, "stimulus position width"]]:
        """The stimuli's streams at these entrances."""
        stretches = self.missing(name, batch, line, wanted)
        made = {stop for _, stop in stretches}
        there = ({start for start, _ in stretches if start} | set(wanted)) - made
        found = {entrance: cast(Tensor, self._kept[name, entrance]) for entrance in there}
        for start, stop in stretches:
            halted = Halted(start, found[start]) if start else None
            found[stop] = self._kept.get((name, stop), partial(self._run, batch, halted, stop))
        return found

    def _run(self, batch: Batch, halted: Halted | None, stop: Site) -> Tensor:
        """Carries all rows of a batch on to an entrance, block by block."""
        parts = []
        for numbers in blocks(len(batch), self._rows_at_once):
            run = padded(numbers)
            stream = self._adapter.halt(batch.rows(run), stop, halted and halted.rows(run))
            parts.append(stream[: len(numbers)])
        return torch.cat(parts)

    def _bytes(self, batch: Batch, line: Sequence[Site]) -> int:
        taps = [self._adapter.tap(entrance) for entrance in line]
        size = self._adapter.target.model.dtype.itemsize
        return len(batch) * size * sum(batch.width(tap.space) * tap.width for tap in taps)


def blocks(number: int, rows_at_once: int) -> Iterator[list[int]]:
    """The numbers below `number`, so many at a time."""
    for start in range(0, number, rows_at_once):
        yield list(range(start, min(start + rows_at_once, number)))


def padded(numbers: Sequence[int]) -> list[int]:
    """The numbers, the last of them repeated up to a multiple of MULTIPLE."""
    return [*numbers, *[numbers[-1]] * (-len(numbers) % MULTIPLE)]
