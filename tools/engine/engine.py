"""The engine: carries out plans, exactly and in the open.

A row runs from where it first differs from the untouched run of its stimulus, which is made once for all rows (the
same numbers within rounding); `course.py` says where that is. Blocks of rows are padded to multiples of eight, so that
a row's result does not hang on its company. Knows plans and adapters; knows nothing about what is measured.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from tools.engine.attention import opened
from tools.engine.bind import Binder, Bound, BoundRow
from tools.engine.course import Block, Course, course_of, passed
from tools.engine.explain import Explanation, explanation
from tools.engine.hooks import Touch, hooked
from tools.engine.means import ClassSums
from tools.engine.plan import Outcome, Plan, Row, Swap
from tools.engine.untouched import Untouched, padded
from tools.engine.write import Edit
from tools.stimuli import Stimulus
from tools.targets.adapter import Adapter, Halted, Tap, adapter_for
from tools.targets.batch import Batch
from tools.targets.sites import Site
from tools.targets.target import Target

KEPT = 1 << 28
"""Bytes of untouched runs (inputs, encoded pictures, streams) that are kept for plans on the same stimuli."""
SIGHT = ("vision", "patches")
"""Spaces that a run with encoded pictures does not pass."""


@dataclass(frozen=True, eq=False)
class _Ready:
    """A plan bound to the batch of its stimuli (kept under `name`), with the course that it takes."""

    name: Hashable
    binder: Binder
    bound: Bound
    batch: Batch
    course: Course


class Engine:
    """Runs plans on a target. `forwards` counts the rows that have run, padding left out, wherever they started.

    `kept` is in bytes; where it is too small for a stream, every row runs from its inputs.
    """

    def __init__(
        self, target: Target, *, adapter: Adapter | None = None, rows_at_once: int = 32, kept: int = KEPT
    ) -> None:
        self.target = target
        self.adapter = adapter or adapter_for(target)
        self.rows_at_once = rows_at_once
        self.forwards = 0
        self._untouched = Untouched(self.adapter, rows_at_once, kept)

    def run(self, plan: Plan) -> Outcome:
        """Logits of every row, and what was read in it.

        Raises UserError for a plan that does not fit the target or its own stimuli (before anything runs), ValueError
        for one without rows, and HookDidNotFire when a site was not passed.
        """
        with torch.no_grad():
            ready = self._encoded(self._ready(plan))
            streams = self._streams(ready)
            with opened(self.target.model, ready.bound.towers):
                sources = self._sources(ready, streams)
                rows = [_with_sources(row, sources, ready.binder) for row in ready.bound.rows]
                logits, reads = self._rows(rows, ready.course.rows, ready, streams, plan.reads)
        return Outcome(
            logits,
            reads,
            ready.batch.rows([row.stimulus for row in rows]),
            len(rows) + len(ready.bound.source_rows()),
        )

    def explain(self, plan: Plan) -> Explanation:
        """What `run` would do with the plan now, and what that takes; nothing runs. Raises as `run` does."""
        ready = self._ready(plan)
        batch, course = ready.batch, ready.course
        if not ready.bound.needs_sight and self._untouched.is_encoded(ready.name):
            batch = self._untouched.encoded(ready.name, batch)
        stretches = self._untouched.missing(ready.name, batch, course.line, course.starts)
        return explanation(self.adapter, ready.batch, batch, course, stretches, self.rows_at_once)

    def plain(self, stimuli: Sequence[Stimulus], reads: tuple[Site, ...] = ()) -> Outcome:
        """Every stimulus once, untouched."""
        return self.run(_each(stimuli, reads))

    def mean(self, site: Site, stimuli: Sequence[Stimulus]) -> Float[Tensor, "class width"]:
        """Mean of a site over a reference set, for each class of positions; NaN for a class that does not occur."""
        return self.means([site], stimuli)[site]

    def means(
        self, sites: Sequence[Site], stimuli: Sequence[Stimulus]
    ) -> dict[Site, Float[Tensor, "class width"]]:
        """The same for several sites in one pass, which ends behind the last of them."""
        taps = [self.adapter.tap(site) for site in sites]
        if any(tap.side == "pattern" for tap in taps):
            raise ValueError("patterns have no mean: their keys differ from row to row")
        sums = {tap.site: ClassSums(tap) for tap in taps}
        for start in range(0, len(stimuli), self.rows_at_once):
            chosen = stimuli[start : start + self.rows_at_once]
            with torch.no_grad():
                ready = self._encoded(self._ready(_each(chosen, tuple(sums))))
                stop = passed(tuple(sums), self.adapter, ready.course.line)
                streams = self._streams(ready)
                _, reads = self._rows(ready.bound.rows, ready.course.rows, ready, streams, tuple(sums), stop)
            for site, total in sums.items():
                total.add(reads[site], ready.batch)
        return {site: total.mean() for site, total in sums.items()}

    def _ready(self, plan: Plan) -> _Ready:
        if not plan.rows:
            raise ValueError("a plan needs at least one row")
        name = self._untouched.name(plan.stimuli)
        batch = self._untouched.batch(name, plan.stimuli)
        binder = Binder(plan, batch, self.adapter)
        bound = binder.bind()
        taps = [self.adapter.tap(entrance) for entrance in self.adapter.entrances()]
        line = [tap.site for tap in taps if bound.needs_sight or tap.space not in SIGHT]
        if not self._untouched.fits(batch, line):
            line = []
        return _Ready(
            name,
            binder,
            bound,
            batch,
            course_of(bound, plan.reads, self.adapter, line, self.rows_at_once),
        )

    def _encoded(self, ready: _Ready) -> _Ready:
        """With pictures that are encoded already, where no row asks for the vision side."""
        if ready.bound.needs_sight:
            return ready
        return replace(ready, batch=self._untouched.encoded(ready.name, ready.batch))

    def _streams(self, ready: _Ready) -> dict[Site, Tensor]:
        """The untouched streams with which the plan's rows start."""
        return self._untouched.streams(ready.name, ready.batch, ready.course.line, ready.course.starts)

    def _sources(self, ready: _Ready, streams: dict[Site, Tensor]) -> dict[tuple[Site, int], Tensor]:
        """What swaps take: each site of each stimulus that one takes from, in an untouched run: [position ...]."""
        rows, sites, stop = ready.bound.source_rows(), ready.bound.source_sites(), ready.course.sources_stop
        if not rows:
            return {}
        _, reads = self._rows(rows, ready.course.sources, ready, streams, sites, stop)
        return {
            (site, row.stimulus): _by_position(ready.bound.taps[site], reads[site])[number]
            for site in sites
            for number, row in enumerate(rows)
        }

    def _rows(
        self,
        rows: Sequence[BoundRow],
        blocks: Sequence[Block],
        ready: _Ready,
        streams: dict[Site, Tensor],
        reads: tuple[Site, ...],
        stop: Site | None = None,
    ) -> tuple[Tensor, dict[Site, Tensor]]:
        """All rows, block by block, up to an entrance (None: the logits): what stands there, and what was read."""
        ends: list[Tensor] = []
        kept: dict[Site, list[Tensor]] = {site: [] for site in reads}
        for block in blocks:
            chosen = [rows[number] for number in block.rows]
            numbers = padded([row.stimulus for row in chosen])
            run = ready.batch.rows(numbers)
            halted = Halted(block.start, streams[block.start]).rows(numbers) if block.start else None
            taps = [
                tap
                for tap in ready.bound.ordered()
                if tap.site in kept or any(edit.tap is tap for row in chosen for edit in row.edits)
            ]
            touches = [(tap, _touch(tap, chosen, kept.get(tap.site))) for tap in taps]
            with hooked(touches, _cuts(chosen, run)):
                end = self._carried(run, halted, stop)
            ends.append(end[: len(chosen)])
            self.forwards += len(chosen)
        order = [number for block in blocks for number in block.rows]
        return _ordered(ends, order), {site: _ordered(parts, order) for site, parts in kept.items()}

    def _carried(self, batch: Batch, halted: Halted | None, stop: Site | None) -> Tensor:
        return self.adapter.forward(batch, halted) if stop is None else self.adapter.halt(batch, stop, halted)


def _each(stimuli: Sequence[Stimulus], reads: tuple[Site, ...]) -> Plan:
    return Plan(stimuli, [Row(number) for number in range(len(stimuli))], reads)


def _ordered(parts: Sequence[Tensor], order: Sequence[int]) -> Tensor:
    """Rows that ran in this order, in the order of their numbers."""
    found = torch.cat(list(parts))
    back = sorted(range(len(order)), key=order.__getitem__)
    return found if back == list(range(len(order))) else found[back]


def _touch(tap: Tap, block: Sequence[BoundRow], kept: list[Tensor] | None) -> Touch:
    """Writes the block's edits of a site, then keeps what stands there when it is to be read."""
    edits: list[tuple[int, Edit]] = [
        (number, edit) for number, row in enumerate(block) for edit in row.edits if edit.tap is tap
    ]

    def touch(tensor: Tensor) -> Tensor | None:
        if len(tensor) != len(padded(range(len(block)))):
            raise RuntimeError(f"`{tap.site}` runs {len(tensor)} rows for a block of {len(block)}")
        changed = tensor.clone() if edits else tensor
        for number, edit in edits:
            edit.apply(_by_position(tap, changed)[number])
        if kept is not None:
            kept.append(changed[: len(block)])
        return changed if edits else None

    return touch


def _by_position(tap: Tap, tensor: Tensor) -> Tensor:
    """A view in which positions come second: of a pattern, [row query head key]."""
    return tensor.transpose(1, 2) if tap.side == "pattern" else tensor


def _with_sources(row: BoundRow, sources: dict[tuple[Site, int], Tensor], binder: Binder) -> BoundRow:
    edits = []
    for edit in row.edits:
        if isinstance(edit.what.value, Swap):
            source = sources[edit.what.site, edit.what.value.stimulus]
            edit = replace(edit, taken=binder.taken(edit, source))
        edits.append(edit)
    return replace(row, edits=tuple(edits))


def _cuts(block: Sequence[BoundRow], batch: Batch) -> list[tuple[Tap, Bool[Tensor, "row head query key"]]]:
    """The edges that are cut in each attention module."""
    found: dict[nn.Module, tuple[Tap, Tensor]] = {}
    for number, row in enumerate(block):
        for cut in row.cuts:
            tap = cut.tap
            shape = (len(batch), tap.heads, batch.width(tap.space), batch.width(tap.looks_at))
            none = torch.zeros(shape, dtype=torch.bool, device=cut.edges.device)
            _, edges = found.setdefault(tap.module, (tap, none))
            edges[number, tap.part(cut.head)] |= cut.edges
    return list(found.values())
