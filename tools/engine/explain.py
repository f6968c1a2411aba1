"""What a plan will do, in words and in floating-point operations, before anything runs.

Counts matrix products only (a few per cent of the time of a large model go elsewhere, most of a tiny one's), padding
included. Knows courses; knows nothing about how they are chosen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from store.address import Tower
from tools.engine.budget import Room
from tools.engine.course import Course
from tools.engine.memory import entering
from tools.engine.untouched import Stretch
from tools.targets.adapter import Adapter
from tools.targets.batch import Batch
from tools.targets.decoder import FEWEST
from tools.targets.sites import Site
from tools.targets.stretches import without_pixels


class Lacking(NamedTuple):
    """An untouched run of so many stimuli that is still to be remembered; `start` None: from the inputs."""

    start: Site | None
    stimuli: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """`rows` counts the plan's rows by where they start (None: from the inputs), `sources` the untouched rows that
    swaps take from, `short` the rows that run over at most `last` last positions. `made` are the stretches of the
    untouched runs of all `stimuli` that are missing, `reused` the entrances whose streams are there, `lacking` the run
    whose keys and values are to be remembered. `opened` are the implementations of attention, by tower, that show no
    weights and are replaced while the plan runs. `room` says how many rows run at once. `flops` counts all of it,
    `from_inputs` what it would take if every row ran from its inputs.
    """

    stimuli: int
    rows: dict[Site | None, int]
    sources: int
    short: int
    last: int
    made: tuple[Stretch, ...]
    reused: tuple[Site, ...]
    lacking: Lacking | None
    flops: int
    from_inputs: int
    opened: dict[Tower, str] = field(default_factory=dict)
    room: Room | None = None

    def __str__(self) -> str:
        told = [f"{count} {_rows(count)} from {_name(start)}" for start, count in self.rows.items()]
        if self.short:
            told.append(
                f"{self.short} of them over the last {self.last} {'positions' if self.last > 1 else 'position'} at most"
            )
        if self.sources:
            told.append(f"{self.sources} untouched {_rows(self.sources)} for swaps")
        told += [
            f"{self.stimuli} untouched {_rows(self.stimuli)} from {_name(start)} to {_name(stop)}"
            for start, stop in self.made
        ]
        if self.lacking:
            start, stimuli = self.lacking
            told.append(
                f"{stimuli} untouched {_rows(stimuli)} from {_name(start)} whose keys and values are kept"
            )
        if self.reused:
            told.append(f"reused: streams at {', '.join(map(_name, self.reused))}")
        told += [
            f"attention of `{tower}` is computed in the open, since `{name}` shows no weights"
            for tower, name in self.opened.items()
        ]
        share = self.flops / self.from_inputs
        told.append(f"{self.flops:.2e} FLOPs, {share:.0%} of {self.from_inputs:.2e} from the inputs")
        if self.room:
            told.append(str(self.room))
        return "; ".join(told)


def explanation(
    adapter: Adapter,
    inputs: Batch,
    batch: Batch,
    course: Course,
    stretches: Sequence[Stretch],
    lacking: Lacking | None,
    needs_sight: bool,
) -> Explanation:
    """Of a course over a batch of stimuli (`inputs` before their pictures were encoded), some stretches of whose
    untouched runs are missing, and perhaps their memory. Without a need of sight, pictures are encoded once."""
    width, decoder = batch.width("language"), adapter.decoder()
    later = batch if needs_sight else without_pixels(batch)
    flops = len(batch) * sum(
        adapter.flops(later if start else batch, start, stop) for start, stop in stretches
    )
    if lacking and decoder:
        end = Site("resid_post", "language", decoder.layers - 1)
        flops += lacking.stimuli * adapter.flops(batch, lacking.start, end)
    ran = 0
    for group, stop in ((course.sources, course.sources_stop), (course.blocks, None)):
        for block in group:
            rows = len(block.rows) if stop else max(len(block.rows), FEWEST)
            flops += rows * adapter.flops(later if block.start else batch, block.start, stop)
            ran += rows
    starts = Counter(block.start for block in course.blocks for _ in block.rows)
    for pack in course.packs:
        starts.update(entering(tail.layer) for tail in pack.tails)
        flops += pack.flops(decoder, width) if decoder else 0
        ran += len(pack.tails)
    short = [tail.last for pack in course.packs for tail in pack.tails if tail.last < width]
    made = {stop for _, stop in stretches}
    used = course.starts | {start for start, _ in stretches if start}
    return Explanation(
        stimuli=len(batch),
        rows={start: starts[start] for start in (None, *course.line) if start in starts},
        sources=sum(len(block.rows) for block in course.sources),
        short=len(short),
        last=max(short, default=0),
        made=tuple(stretches),
        reused=tuple(entrance for entrance in course.line if entrance in used - made),
        lacking=lacking,
        flops=flops,
        from_inputs=ran * adapter.flops(inputs),
    )


def _rows(count: int) -> str:
    return "row" if count == 1 else "rows"


def _name(entrance: Site | None) -> str:
    return "the inputs" if entrance is None else f"`{entrance}`"
