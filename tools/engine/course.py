"""The course of a plan: where each of its rows starts, and which rows run together.

The one place where shortcuts are chosen. A row starts at the last entrance before anything that it writes, cuts or
reads: up to there it is the untouched run of its stimulus. It starts from the inputs where one of its sites has no such
entrance (the adapter says which), and where streams do not fit into what may be kept. Runs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tools.engine.bind import Bound, BoundRow
from tools.engine.untouched import padded
from tools.targets.adapter import Adapter
from tools.targets.sites import Site


@dataclass(frozen=True, slots=True)
class Block:
    """Rows, by number, that run together from one entrance (None: from the inputs)."""

    start: Site | None
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """`sources` are the blocks of the untouched rows that swaps take from, which are over at `sources_stop` (None: at
    the logits); `rows` those of the plan's own. `line` are the entrances that they pass."""

    line: tuple[Site, ...]
    sources: tuple[Block, ...]
    sources_stop: Site | None
    rows: tuple[Block, ...]

    @property
    def starts(self) -> set[Site]:
        """The entrances at which untouched streams are needed."""
        return {block.start for block in (*self.sources, *self.rows) if block.start}


def course_of(
    bound: Bound, reads: Sequence[Site], adapter: Adapter, line: Sequence[Site], rows_at_once: int
) -> Course:
    """How a bound plan runs along a line of entrances; none of them: every row from the inputs."""
    taken = bound.source_sites()
    sources = [_start(row, taken, adapter, line) for row in bound.source_rows()]
    rows = [_start(row, reads, adapter, line) for row in bound.rows]
    return Course(
        tuple(line),
        tuple(_blocks(sources, line, rows_at_once)),
        passed(taken, adapter, line),
        tuple(_blocks(rows, line, rows_at_once)),
    )


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
    sites = {*reads, *(edit.tap.site for edit in row.edits), *(cut.tap.site for cut in row.cuts)}
    entrances = [adapter.entrance(site) for site in sites]
    if any(entrance not in line for entrance in entrances):
        return None
    return min((entrance for entrance in entrances if entrance), key=line.index, default=line[-1])


def _blocks(starts: Sequence[Site | None], line: Sequence[Site], rows_at_once: int) -> list[Block]:
    """Rows by where they start. Where a block would be padded, the rows that start next take the padding's place:
    running them from further back than they need costs nothing there."""
    order = sorted(range(len(starts)), key=lambda row: _place(starts[row], line))
    found = []
    while order:
        first = starts[order[0]]
        alike = sum(starts[row] == first for row in order[:rows_at_once])
        size = min(len(padded(order[:alike])), rows_at_once)
        found.append(Block(first, tuple(order[:size])))
        order = order[size:]
    return found


def _place(start: Site | None, line: Sequence[Site]) -> int:
    return -1 if start is None else line.index(start)
