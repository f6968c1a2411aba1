"""The engine: carries out plans, exactly and in the open.

Every row runs through the whole model (its picture is encoded once a stimulus where no row asks for the vision side:
the same numbers within rounding). Blocks of rows are padded to multiples of eight, so that a row's result does not hang
on its company. Knows plans and adapters; knows nothing about what is measured.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from tools.engine.attention import opened
from tools.engine.bind import Binder, Bound, BoundRow
from tools.engine.hooks import Touch, hooked
from tools.engine.means import ClassSums
from tools.engine.plan import Outcome, Plan, Row, Swap
from tools.engine.write import Edit
from tools.stimuli import Stimulus
from tools.targets.adapter import Adapter, Tap, adapter_for
from tools.targets.batch import Batch
from tools.targets.sites import Site
from tools.targets.target import Target

MULTIPLE = 8
"""Rows run in multiples of this."""
KEPT = 1 << 28
"""Bytes of encoded pictures that are kept for plans on the same stimuli."""


class Engine:
    """Runs plans on a target. `forwards` counts the rows that have run, padding left out."""

    def __init__(self, target: Target, *, adapter: Adapter | None = None, rows_at_once: int = 32) -> None:
        self.target = target
        self.adapter = adapter or adapter_for(target)
        self.rows_at_once = rows_at_once
        self.forwards = 0
        self._kept: OrderedDict[tuple[str, ...], Batch] = OrderedDict()

    def run(self, plan: Plan) -> Outcome:
        """Logits of every row, and what was read in it.

        Raises UserError for a plan that does not fit the target or its own stimuli (before anything runs), ValueError
        for one without rows, and HookDidNotFire when a site was not passed.
        """
        if not plan.rows:
            raise ValueError("a plan needs at least one row")
        batch = self.adapter.batch(plan.stimuli)
        binder = Binder(plan, batch, self.adapter)
        bound = binder.bind()
        with torch.no_grad(), opened(self.target.model, bound.towers):
            if not bound.needs_sight:
                batch = self._encoded(batch, plan.stimuli)
            sources = self._sources(bound, batch)
            rows = [_with_sources(row, sources, binder) for row in bound.rows]
            logits, reads = self._rows(rows, batch, bound, plan.reads)
        return Outcome(
            logits,
            reads,
            batch.rows([row.stimulus for row in rows]),
            len(rows) + len({stimulus for _, stimulus in bound.sources}),
        )

    def plain(self, stimuli: Sequence[Stimulus], reads: tuple[Site, ...] = ()) -> Outcome:
        """Every stimulus once, untouched."""
        return self.run(Plan(stimuli, [Row(number) for number in range(len(stimuli))], reads))

    def mean(self, site: Site, stimuli: Sequence[Stimulus]) -> Float[Tensor, "class width"]:
        """Mean of a site over a reference set, for each class of positions; NaN for a class that does not occur."""
        return self.means([site], stimuli)[site]

    def means(
        self, sites: Sequence[Site], stimuli: Sequence[Stimulus]
    ) -> dict[Site, Float[Tensor, "class width"]]:
        """The same for several sites in one pass."""
        taps = [self.adapter.tap(site) for site in sites]
        if any(tap.side == "pattern" for tap in taps):
            raise ValueError("patterns have no mean: their keys differ from row to row")
        sums = {tap.site: ClassSums(tap) for tap in taps}
        for start in range(0, len(stimuli), self.rows_at_once):
            outcome = self.plain(stimuli[start : start + self.rows_at_once], tuple(sums))
            for site, total in sums.items():
                total.add(outcome.reads[site], outcome.batch)
        return {site: total.mean() for site, total in sums.items()}

    def _sources(self, bound: Bound, batch: Batch) -> dict[tuple[Site, int], Tensor]:
        """What swaps take: each site of each stimulus that one takes from, in an untouched run: [position ...]."""
        if not bound.sources:
            return {}
        numbers = sorted({stimulus for _, stimulus in bound.sources})
        sites = tuple(dict.fromkeys(site for site, _ in bound.sources))
        plain = [BoundRow(number, (), ()) for number in numbers]
        _, reads = self._rows(plain, batch, bound, sites)
        return {
            (site, number): _by_position(bound.taps[site], reads[site])[at]
            for site in sites
            for at, number in enumerate(numbers)
        }

    def _rows(
        self, rows: Sequence[BoundRow], batch: Batch, bound: Bound, reads: tuple[Site, ...]
    ) -> tuple[Float[Tensor, "row vocabulary"], dict[Site, Tensor]]:
        """All rows, block by block."""
        logits: list[Tensor] = []
        kept: dict[Site, list[Tensor]] = {site: [] for site in reads}
        for start in range(0, len(rows), self.rows_at_once):
            block = rows[start : start + self.rows_at_once]
            run = batch.rows(_padded([row.stimulus for row in block]))
            taps = [
                tap
                for tap in bound.ordered()
                if tap.site in kept or any(edit.tap is tap for row in block for edit in row.edits)
            ]
            touches = [(tap, _touch(tap, block, kept.get(tap.site))) for tap in taps]
            with hooked(touches, _cuts(block, run)):
                logits.append(self.adapter.forward(run)[: len(block)])
            self.forwards += len(block)
        return torch.cat(logits), {site: torch.cat(parts) for site, parts in kept.items()}

    def _encoded(self, batch: Batch, stimuli: Sequence[Stimulus]) -> Batch:
        """The batch with its pictures encoded; the same questions are asked of many components, and encoded once."""
        key = tuple(stimulus.sha256 for stimulus in stimuli)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        parts = []
        for start in range(0, len(batch), self.rows_at_once):
            numbers = list(range(start, min(start + self.rows_at_once, len(batch))))
            part = self.adapter.encoded(batch.rows(_padded(numbers)))
            parts.append(part.rows(range(len(numbers))))
        self._kept[key] = Batch.joined(parts)
        while len(self._kept) > 1 and sum(map(_size, self._kept.values())) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]


def _touch(tap: Tap, block: Sequence[BoundRow], kept: list[Tensor] | None) -> Touch:
    """Writes the block's edits of a site, then keeps what stands there when it is to be read."""
    edits: list[tuple[int, Edit]] = [
        (number, edit) for number, row in enumerate(block) for edit in row.edits if edit.tap is tap
    ]

    def touch(tensor: Tensor) -> Tensor | None:
        if len(tensor) != len(_padded(range(len(block)))):
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


def _cuts(block: Sequence[BoundRow], batch: Batch) -> dict[nn.Module, Bool[Tensor, "row head query key"]]:
    """The edges that are cut in each attention module."""
    found: dict[nn.Module, Tensor] = {}
    for number, row in enumerate(block):
        for cut in row.cuts:
            width = batch.width(cut.tap.space)
            shape = (len(batch), cut.tap.heads, width, width)
            edges = found.setdefault(
                cut.tap.module, torch.zeros(shape, dtype=torch.bool, device=cut.edges.device)
            )
            edges[number, cut.tap.part(cut.head)] |= cut.edges
    return found


def _padded(numbers: Sequence[int]) -> list[int]:
    """The numbers, the last of them repeated up to a multiple of MULTIPLE."""
    return [*numbers, *[numbers[-1]] * (-len(numbers) % MULTIPLE)]


def _size(batch: Batch) -> int:
    """Bytes of a batch's inputs."""
    return sum(tensor.nbytes for tensor in batch.inputs.values())
