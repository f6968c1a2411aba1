"""The engine: carries out plans, exactly and in the open.

A row runs from where it first differs from the untouched run of its stimulus, which is made once for all rows (the
same numbers within rounding); `course.py` says where that is. No product is over so few rows that a row's result would
hang on its company by more than rounding. Knows plans and adapters; knows nothing about what is measured.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from tools.engine.attention import implementations, opened
from tools.engine.bind import Binder, Bound, BoundRow
from tools.engine.budget import Budget, Room, kept_bytes
from tools.engine.carry import carry
from tools.engine.course import Block, Course, course_of, over_all_positions, passed
from tools.engine.explain import Explanation, Lacking, explanation
from tools.engine.means import ClassSums
from tools.engine.memory import Remembered, entering
from tools.engine.merging import carried_out
from tools.engine.packing import Tail, together
from tools.engine.plan import Outcome, Plan, Row, Swap
from tools.engine.room import as_many_as_fit
from tools.engine.sound import sound
from tools.engine.touching import Found, by_position, touched
from tools.engine.untouched import Untouched
from tools.meter import count
from tools.rounds import ask
from tools.stimuli import Stimulus
from tools.targets.adapter import Adapter, Halted, adapter_for
from tools.targets.batch import Batch
from tools.targets.decoder import FEWEST, Decoder
from tools.targets.sites import Site
from tools.targets.target import Target

CHUNK = 32
"""Stimuli of which means are taken at a time."""
SIGHT = ("vision", "patches")
"""Spaces that a run with encoded pictures does not pass."""


@dataclass(frozen=True, eq=False)
class _Ready:
    """A plan bound to the batch of its stimuli (kept under `name`), with its course and the room that its rows have."""

    name: Hashable
    binder: Binder
    bound: Bound
    batch: Batch
    course: Course
    decoder: Decoder | None
    room: Room


class Engine:
    """Runs plans on a target. `passes` counts how often the model, or a part of it, was run for rows of plans.

    How many rows run together, and how many bytes of untouched runs (inputs, encoded pictures, streams) are `kept` for
    plans on the same stimuli, is found from what the device has free, where it is not given. Where the kept bytes are
    too few for a stream, every row runs from its inputs.
    """

    def __init__(
        self,
        target: Target,
        *,
        adapter: Adapter | None = None,
        rows_at_once: int | None = None,
        kept: int | None = None,
    ) -> None:
        self.target = target
        self.adapter = adapter or adapter_for(target)
        self.budget = Budget(self.adapter, rows_at_once)
        self.passes = 0
        self._untouched = Untouched(
            self.adapter, self.budget, kept_bytes(target.device) if kept is None else kept
        )

    def run(self, plan: Plan) -> Outcome:
        """Logits of every row, and what was read in it; run together with what calls beside the caller's want.

        Raises UserError for a plan that does not fit the target or its own stimuli (before anything runs), and for
        logits that are no numbers; ValueError for one without rows, HookDidNotFire when a site was not passed.
        """
        outcome = ask(self._together, plan)
        count(outcome.forwards)
        return outcome

    def _together(self, plans: Sequence[Plan]) -> list[Outcome | Exception]:
        return carried_out(plans, self._run)

    def _run(self, plan: Plan) -> Outcome:
        with torch.no_grad():
            ready = self._encoded(self._ready(plan))
            memory = self._memory(ready)
            streams = self._streams(ready)
            with opened(self.target.model, ready.bound.towers):
                sources = self._sources(ready, streams)
                rows = [_with_sources(row, sources, ready.binder) for row in ready.bound.rows]
                ends, reads = self._rows(rows, ready.course.blocks, ready, streams, plan.reads)
            with opened(self.target.model, ready.bound.towers | ({"language"} if memory else set())):
                self._packs(rows, ready, streams, memory, ends, reads)
        numbers = range(len(rows))
        return Outcome(
            sound(torch.stack([ends[number] for number in numbers]), self.target.name),
            {site: torch.stack([found[number] for number in numbers]) for site, found in reads.items()},
            ready.batch.without_pictures().rows([row.stimulus for row in rows]),
            len(rows) + len(ready.bound.source_rows()),
        )

    def explain(self, plan: Plan) -> Explanation:
        """What `run` would do with the plan now, and what that takes; nothing runs. Raises as `run` does."""
        ready = self._ready(plan)
        batch, course = ready.batch, ready.course
        if not ready.bound.needs_sight and self._untouched.is_encoded(ready.name):
            batch = self._untouched.encoded(ready.name, batch)
        stretches = self._untouched.missing(ready.name, batch, course.line, course.starts)
        told = explanation(
            self.adapter, ready.batch, batch, course, stretches, self._lacking(ready), ready.bound.needs_sight
        )
        opened = implementations(self.target.model, ready.bound.towers)
        return replace(told, opened=opened, room=ready.room)

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
        for start in range(0, len(stimuli), CHUNK):
            chosen = stimuli[start : start + CHUNK]
            with torch.no_grad():
                ready = self._encoded(self._ready(_each(chosen, tuple(sums))))
                stop = passed(tuple(sums), self.adapter, ready.course.line)
                streams = self._streams(ready)
                _, reads = self._rows(
                    ready.bound.rows, ready.course.blocks, ready, streams, tuple(sums), stop
                )
            count(len(chosen))
            for site, total in sums.items():
                total.add(torch.stack([reads[site][number] for number in range(len(chosen))]), ready.batch)
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
        decoder = self.adapter.decoder() if line else None
        room = self.budget.checked(batch, bound.towers)
        course = course_of(bound, plan.reads, self.adapter, line, batch, room.rows, decoder)
        ready = _Ready(name, binder, bound, batch, course, decoder, room)
        if decoder is None or not course.remembered or self._pays(ready, decoder):
            return ready
        whole = over_all_positions(course, batch.width("language"), room.rows)
        return replace(ready, course=whole)

    def _pays(self, ready: _Ready, decoder: Decoder) -> bool:
        """Whether the packs' memory fits, and what it saves is more than what it takes."""
        course, width = ready.course, ready.batch.width("language")
        if not self._untouched.has_room(ready.batch.rows(course.remembered), decoder, course.first):
            return False
        lacking = len(course.remembered) * decoder.flops(slice(course.first, None), width, width)
        if self._untouched.remembers(ready.name, decoder, course.remembered, course.first):
            lacking = 0
        whole = over_all_positions(course, width, ready.room.rows)
        short, long = (sum(pack.flops(decoder, width) for pack in one.packs) for one in (course, whole))
        return short + lacking < long

    def _encoded(self, ready: _Ready) -> _Ready:
        """With pictures that are encoded already, where no row asks for the vision side."""
        if ready.bound.needs_sight:
            return ready
        return replace(ready, batch=self._untouched.encoded(ready.name, ready.batch))

    def _streams(self, ready: _Ready) -> dict[Site, Tensor]:
        """The untouched streams with which the plan's rows start."""
        return self._untouched.streams(ready.name, ready.batch, ready.course.line, ready.course.starts)

    def _memory(self, ready: _Ready) -> dict[int, Remembered]:
        """What the packs' stimuli left in the decoder's layers; nothing where no pack needs it."""
        course = ready.course
        if ready.decoder is None or not course.remembered:
            return {}
        return self._untouched.memory(
            ready.name, ready.batch, course.line, ready.decoder, course.remembered, course.first
        )

    def _lacking(self, ready: _Ready) -> Lacking | None:
        """The run that the packs' memory still takes."""
        course = ready.course
        if ready.decoder is None or not course.remembered:
            return None
        if self._untouched.remembers(ready.name, ready.decoder, course.remembered, course.first):
            return None
        start = self._untouched.latest(ready.name, course.line, entering(course.first))
        return Lacking(start, len(course.remembered))

    def _sources(self, ready: _Ready, streams: dict[Site, Tensor]) -> dict[tuple[Site, int], Tensor]:
        """What swaps take: each site of each stimulus that one takes from, in an untouched run: [position ...]."""
        rows, sites, stop = ready.bound.source_rows(), ready.bound.source_sites(), ready.course.sources_stop
        _, reads = self._rows(rows, ready.course.sources, ready, streams, sites, stop)
        return {
            (site, row.stimulus): by_position(ready.bound.taps[site], reads[site][number][None])[0]
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
    ) -> tuple[Found, dict[Site, Found]]:
        """Rows in blocks, up to an entrance (None: the logits): by row, what stands there, and what was read."""
        ends: Found = {}
        kept: dict[Site, Found] = {site: {} for site in reads}

        def carried(start: Site | None, numbers: Sequence[int]) -> None:
            chosen = [rows[number] for number in numbers]
            padding = 0 if stop else max(FEWEST - len(numbers), 0)
            run = [row.stimulus for row in chosen] + [chosen[-1].stimulus] * padding
            halted = Halted(start, streams[start]).rows(run) if start else None
            batch = ready.batch.rows(run)
            with touched(ready.bound, chosen, numbers, kept, batch):
                end = self.adapter.halt(batch, stop, halted) if stop else self.adapter.forward(batch, halted)
            ends.update(zip(numbers, end, strict=False))
            self.passes += 1

        for block in blocks:
            as_many_as_fit(partial(carried, block.start), block.rows, ready.room)
        return ends, kept

    def _packs(
        self,
        rows: Sequence[BoundRow],
        ready: _Ready,
        streams: dict[Site, Tensor],
        memory: dict[int, Remembered],
        ends: Found,
        reads: dict[Site, Found],
    ) -> None:
        """Rows that run through the decoder in packs; adds to what was found in the others."""
        decoder, width = ready.decoder, ready.batch.width("language")
        if decoder is None:
            return

        def carried(tails: Sequence[Tail]) -> None:
            pack = together(tails)
            chosen = [rows[number].behind(width - pack.last) for number in pack.rows]
            with touched(ready.bound, chosen, pack.rows, reads, ready.batch, pack.last):
                end = carry(decoder, pack, ready.batch, streams, memory, ready.course.remembered)
            ends.update(zip(pack.rows, end, strict=True))
            self.passes += 1

        for pack in ready.course.packs:
            as_many_as_fit(carried, pack.tails, ready.room)


def _each(stimuli: Sequence[Stimulus], reads: tuple[Site, ...]) -> Plan:
    return Plan(stimuli, [Row(number) for number in range(len(stimuli))], reads)


def _with_sources(row: BoundRow, sources: dict[tuple[Site, int], Tensor], binder: Binder) -> BoundRow:
    edits = []
    for edit in row.edits:
        if isinstance(edit.what.value, Swap):
            source = sources[edit.what.site, edit.what.value.stimulus]
            edit = replace(edit, taken=binder.taken(edit, source))
        edits.append(edit)
    return replace(row, edits=tuple(edits))
