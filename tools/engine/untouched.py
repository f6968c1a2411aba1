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

from tools.engine.budget import Budget
from tools.engine.kept import Kept
from tools.engine.memory import Remembered, entering, memory_bytes, remember
from tools.engine.room import as_many_as_fit
from tools.engine.weights import Weights
from tools.stimuli import Stimulus
from tools.targets.adapter import Adapter, Halted
from tools.targets.batch import Batch
from tools.targets.decoder import Decoder
from tools.targets.sites import Site

SHARE = 4
"""Streams that are passed on the way are kept too where all of a set's take at most one part in so many."""

Stretch = tuple[Site | None, Site]
"""From one entrance to another; None stands for the inputs."""


class Untouched:
    """Untouched runs of sets of stimuli, each under its `name`, as far as they are asked for. `line` always holds the
    entrances that a run of the batch passes, in order."""

    def __init__(self, adapter: Adapter, budget: Budget, limit: int) -> None:
        self._adapter = adapter
        self._budget = budget
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
            rows = self._budget.checked(batch).rows
            parts = [self._adapter.encoded(batch.rows(numbers)) for numbers in blocks(len(batch), rows)]
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

    def remembers(self, name: Hashable, decoder: Decoder, numbers: Sequence[int], first: int) -> bool:
        """Whether `memory` has these stimuli from this layer on."""
        layers = range(first, decoder.layers)
        return all((name, "memory", tuple(numbers), layer) in self._kept for layer in layers)

    def has_room(self, batch: Batch, decoder: Decoder, first: int) -> bool:
        """Whether the memory of a batch fits into what may be kept."""
        return memory_bytes(decoder, batch, first) <= self._kept.limit

    def memory(
        self,
        name: Hashable,
        batch: Batch,
        line: Sequence[Site],
        decoder: Decoder,
        numbers: Sequence[int],
        first: int,
    ) -> dict[int, Remembered]:
        """What the decoder's layers from `first` on had of the stimuli with these numbers."""
        key = (name, "memory", tuple(numbers))
        if self.remembers(name, decoder, numbers, first):
            return {
                layer: cast(Remembered, self._kept[*key, layer]) for layer in range(first, decoder.layers)
            }
        start = self.latest(name, line, entering(first))
        halted = Halted(start, cast(Tensor, self._kept[name, start])).rows(numbers) if start else None
        made = remember(self._adapter, decoder, batch.rows(numbers), halted, first, self._budget)
        return {layer: self._kept.get((*key, layer), partial(_same, one)) for layer, one in made.items()}

    def latest(self, name: Hashable, line: Sequence[Site], before: Site) -> Site | None:
        """The last entrance up to this one whose stream is kept; None where a run begins with the inputs."""
        there = [entrance for entrance in line[: line.index(before) + 1] if (name, entrance) in self._kept]
        return there[-1] if there else None

    def _run(self, batch: Batch, halted: Halted | None, stop: Site) -> Tensor:
        """Carries all rows of a batch on to an entrance, block by block."""
        parts: list[Tensor] = []

        def run(numbers: Sequence[int]) -> None:
            parts.append(self._adapter.halt(batch.rows(numbers), stop, halted and halted.rows(numbers)))

        room = self._budget.checked(batch)
        for numbers in blocks(len(batch), room.rows):
            as_many_as_fit(run, numbers, room)
        return torch.cat(parts)

    def _bytes(self, batch: Batch, line: Sequence[Site]) -> int:
        taps = [self._adapter.tap(entrance) for entrance in line]
        size = self._adapter.target.model.dtype.itemsize
        return len(batch) * size * sum(batch.width(tap.space) * tap.width for tap in taps)


def _same(made: Remembered) -> Remembered:
    return made


def blocks(number: int, rows_at_once: int) -> Iterator[list[int]]:
    """The numbers below `number`, so many at a time."""
    for start in range(0, number, rows_at_once):
        yield list(range(start, min(start + rows_at_once, number)))
