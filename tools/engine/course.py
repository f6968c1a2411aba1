"""The course of a plan: where each of its rows starts, over which positions it runs, and which rows run together.

The one place where shortcuts are chosen. A row starts at the last entrance before anything that it writes, cuts or
reads: up to there it is the untouched run of its stimulus. It starts from the inputs where one of its sites has no such
entrance (the adapter says which), and where streams do not fit into what may be kept. A row that starts in a decoder
runs over the positions from the first that is touched on, where the untouched run's keys and values are remembered or
worth it. Runs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tools.engine.bind import Bound, BoundRow
from tools.engine.packing import Pack, Tail, packed
from tools.targets.adapter import Adapter
from tools.targets.batch import Batch
from tools.targets.decoder import Decoder
from tools.targets.sites import LOGITS, Site


@dataclass(frozen=True, slots=True)
class Block:
    """Rows, by number, that run together from one entrance (None: from the inputs)."""

    start: Site | None
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """`sources` are the blocks of the untouched rows that swaps take from, which are over at `sources_stop` (None: at
    the logits); `blocks` and `packs` the plan's own rows. `line` are the entrances that they pass. `remembered` are the
    stimuli of which packs need the memory from layer `first` on: none of them where packs run over all positions.
    """

    line: tuple[Site, ...]
    sources: tuple[Block, ...]
    sources_stop: Site | None
    blocks: tuple[Block, ...]
    packs: tuple[Pack, ...] = ()
    remembered: tuple[int, ...] = ()
    first: int = 0

    @property
    def starts(self) -> set[Site]:
        """The entrances at which untouched streams are needed."""
        found = {block.start for block in (*self.sources, *self.blocks) if block.start}
        if not self.remembered:
            found |= {Site("resid_pre", "language", layer) for pack in self.packs for layer in pack.layers}
        return found


def course_of(
    bound: Bound,
    reads: Sequence[Site],
    adapter: Adapter,
    line: Sequence[Site],
    batch: Batch,
    rows_at_once: int,
    decoder: Decoder | None,
) -> Course:
    """How a bound plan runs along a line of entrances; none of them: every row from the inputs.

    With a decoder, rows that start in it and of which no site is read go in packs, over all positions.
    """
    taken = bound.source_sites()
    starts = [_start(row, reads, adapter, line) for row in bound.rows]
    tails = []
    if decoder is not None and set(reads) <= {LOGITS}:
        tails = [
            Tail(number, row.stimulus, start.layer, _last(row, batch))
            for number, (row, start) in enumerate(zip(bound.rows, starts, strict=True))
            if start and start.layer is not None and (start.tower, start.place) == ("language", "resid_pre")
        ]
    packing = {tail.row for tail in tails}
    alone = {number: start for number, start in enumerate(starts) if number not in packing}
    sources = {number: _start(row, taken, adapter, line) for number, row in enumerate(bound.source_rows())}
    width = batch.width("language")
    short = any(tail.last < width for tail in tails)
    return Course(
        tuple(line),
        tuple(_blocks(sources, line, rows_at_once)),
        passed(taken, adapter, line),
        tuple(_blocks(alone, line, rows_at_once)),
        tuple(packed(tails, width, rows_at_once)),
        tuple(sorted({tail.stimulus for tail in tails})) if short else (),
        min((tail.layer for tail in tails), default=0),
    )


def over_all_positions(course: Course, width: int, rows_at_once: int) -> Course:
    """The same course without what needs a memory."""
    tails = [replace(tail, last=width) for pack in course.packs for tail in pack.tails]
    return replace(course, packs=tuple(packed(tails, width, rows_at_once)), remembered=())


def passed(sites: Sequence[Site], adapter: Adapter, line: Sequence[Site]) -> Site | None:
    """The first entrance behind all of the sites; None where there is none before the logits."""
    entrances = [adapter.entrance(site) for site in sites]
    places = [line.index(entrance) for entrance in entrances if entrance in line]
    if len(places) < len(sites) or not places or max(places) + 1 == len(line):
        return None
    return line[max(places) + 1]


def _start(row: BoundRow, reads: Sequence[Site], adapter: Adapter, line: Sequence[Site]) -> Site | None:
    """A row that nothing is done to or read in starts where the last stream leaves the last layer."""
    if not line:
        return None
    entrances = [adapter.entrance(site) for site in {*reads, *row.sites}]
    if any(entrance not in line for entrance in entrances):
        return None
    return min((entrance for entrance in entrances if entrance), key=line.index, default=line[-1])


def _last(row: BoundRow, batch: Batch) -> int:
    """How many positions a row runs over: all, where it touches the first that is real."""
    width = batch.width("language")
    first = row.first
    if first is None or first <= int(batch.first[row.stimulus]):
        return width
    return width - first


def _blocks(starts: dict[int, Site | None], line: Sequence[Site], rows_at_once: int) -> list[Block]:
    """Rows that start at one place, so many at a time."""
    found = []
    for start in (None, *line):
        rows = [row for row, own in starts.items() if own == start]
        for begin in range(0, len(rows), rows_at_once):
            found.append(Block(start, tuple(rows[begin : begin + rows_at_once])))
    return found
