"""Binding: from a plan's words (`visual`, head 2, swap with stimulus 1) to positions and slices of one batch.

Everything that can be wrong with a plan is found here, before the model runs. Knows batches and taps; runs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from jaxtyping import Int
from torch import Tensor

from store.address import Tower
from store.errors import UserError
from tools.engine.plan import Intervention, Knockout, Plan, Swap
from tools.engine.write import Edit
from tools.targets.adapter import Adapter, Tap
from tools.targets.batch import Batch, Positions, Space
from tools.targets.sites import CONNECTOR_OUT, EMBED, Site


@dataclass(frozen=True, eq=False)
class Cut:
    """Edges that are blocked in one attention module, in one row: from each query to each key. `head` None means every
    head."""

    tap: Tap
    head: int | None
    queries: Int[Tensor, "query"]
    keys: Int[Tensor, "key"]


@dataclass(frozen=True, eq=False)
class BoundRow:
    """A row with its interventions bound to its positions."""

    stimulus: int
    edits: tuple[Edit, ...]
    cuts: tuple[Cut, ...]

    @property
    def sites(self) -> set[Site]:
        """Where something is done."""
        return {*(edit.tap.site for edit in self.edits), *(cut.tap.site for cut in self.cuts)}

    @property
    def first(self) -> int | None:
        """The first position of the language side at which something is done; None where nothing is."""
        done = [edit.positions for edit in self.edits if edit.tap.space == "language"]
        done += [cut.queries for cut in self.cuts if cut.tap.space == "language"]
        return min((int(positions[0]) for positions in done), default=None)

    def behind(self, positions: int) -> BoundRow:
        """The row where so many positions of the language side are left out in front."""
        if not positions:
            return self
        edits = tuple(
            replace(edit, positions=edit.positions - positions) if edit.tap.space == "language" else edit
            for edit in self.edits
        )
        cuts = tuple(replace(cut, queries=cut.queries - positions) for cut in self.cuts)
        return replace(self, edits=edits, cuts=cuts)


@dataclass
class Bound:
    """A plan that can run. `taps` holds every site that is read or written; `sources` the swaps' (site, stimulus)."""

    rows: list[BoundRow] = field(default_factory=list)
    taps: dict[Site, Tap] = field(default_factory=dict)
    sources: dict[tuple[Site, int], None] = field(default_factory=dict)
    towers: set[Tower] = field(default_factory=set)
    needs_sight: bool = False

    def source_rows(self) -> list[BoundRow]:
        """The untouched rows that swaps take from, one for each of their stimuli."""
        return [BoundRow(stimulus, (), ()) for stimulus in sorted({stimulus for _, stimulus in self.sources})]

    def source_sites(self) -> tuple[Site, ...]:
        """The sites at which swaps take."""
        return tuple(dict.fromkeys(site for site, _ in self.sources))

    def ordered(self) -> list[Tap]:
        """Taps in an order in which of two names for one place the earlier in the model comes first."""
        early = (EMBED, CONNECTOR_OUT)
        return sorted(self.taps.values(), key=lambda tap: tap.site not in early)


class Binder:
    """Binds rows of one plan to one batch of its stimuli. Raises UserError for what does not fit."""

    def __init__(self, plan: Plan, batch: Batch, adapter: Adapter) -> None:
        self.plan = plan
        self.batch = batch
        self.adapter = adapter
        self.bound = Bound()
        self._found: dict[tuple[int, Space, Positions], Int[Tensor, "chosen"]] = {}
        self._classes: dict[Space, Int[Tensor, "row position"]] = {}

    def bind(self) -> Bound:
        for site in self.plan.reads:
            self._tap(site)
        for row in self.plan.rows:
            self._check_stimulus(row.stimulus)
            edits = tuple(self._edit(row.stimulus, what) for what in row.interventions)
            cuts = tuple(self._cut(row.stimulus, what) for what in row.knockouts)
            self.bound.rows.append(BoundRow(row.stimulus, edits, cuts))
        return self.bound

    def taken(self, edit: Edit, source: Tensor) -> Tensor:
        """A swap's values, from the untouched run of the stimulus that it takes from: [chosen ...]."""
        if not isinstance(edit.what.value, Swap):
            raise ValueError("only swaps take values")
        return source[self._positions(edit.what.value.stimulus, edit.tap.space, edit.what.positions)]

    def _tap(self, site: Site) -> Tap:
        if site not in self.bound.taps:
            tap = self.bound.taps[site] = self.adapter.tap(site)
            self.bound.needs_sight |= tap.space in ("vision", "patches")
            if tap.side == "pattern" and site.tower is not None and not tap.open:
                self.bound.towers.add(site.tower)
        return self.bound.taps[site]

    def _edit(self, stimulus: int, what: Intervention) -> Edit:
        tap = self._tap(what.site)
        tap.part(what.index)
        at = self._positions(stimulus, tap.space, what.positions)
        keys = self.batch.where(tap.looks_at, "all")[stimulus] if tap.side == "pattern" else None
        if isinstance(what.value, Swap):
            self._check_swap(stimulus, what.value.stimulus, tap, what)
            self.bound.sources[what.site, what.value.stimulus] = None
        if tap.space not in self._classes:
            self._classes[tap.space] = self.batch.classes(tap.space)
        return Edit(what, tap, at, self._classes[tap.space][stimulus, at], keys)

    def _cut(self, stimulus: int, what: Knockout) -> Cut:
        tap = self.adapter.tap(Site("attn.pattern", what.tower, what.layer))
        tap.part(what.head)
        if not tap.open:
            self.bound.towers.add(what.tower)
        self.bound.needs_sight |= tap.space == "vision"
        queries = self._positions(stimulus, tap.space, what.queries)
        keys = self._positions(stimulus, tap.looks_at, what.keys)
        if what.tower == "language" and tap.looks_at == "language" and int(queries.max()) < int(keys.min()):
            raise UserError(
                f"no {what.queries} position of `{self.plan.stimuli[stimulus].key}` can attend to {what.keys} "
                f"positions: they come later",
                kind="positions",
                hint="swap queries and keys, or name earlier keys",
            )
        return Cut(tap, what.head, queries, keys)

    def _positions(self, stimulus: int, space: Space, positions: Positions) -> Int[Tensor, "chosen"]:
        """Where they are in this stimulus's row; at least one."""
        key = (stimulus, space, positions)
        if key not in self._found:
            found = self.batch.rows([stimulus]).where(space, positions)[0].nonzero()[:, 0]
            if not len(found):
                raise UserError(
                    f"`{self.plan.stimuli[stimulus].key}` has no {positions} positions: nothing would be changed",
                    kind="positions",
                    hint="give a stimulus with a question, or name other positions",
                )
            self._found[key] = found
        return self._found[key]

    def _check_stimulus(self, stimulus: int) -> None:
        if not 0 <= stimulus < len(self.plan.stimuli):
            raise IndexError(f"a row of stimulus {stimulus} in a plan of {len(self.plan.stimuli)} stimuli")

    def _check_swap(self, stimulus: int, other: int, tap: Tap, what: Intervention) -> None:
        self._check_stimulus(other)
        here = len(self._positions(stimulus, tap.space, what.positions))
        there = len(self._positions(other, tap.space, what.positions))
        if tap.side == "pattern" and here == there:
            real = self.batch.where(tap.looks_at, "all").sum(1)
            here, there = int(real[stimulus]), int(real[other])
        if here != there:
            names = [f"`{self.plan.stimuli[number].key}`" for number in (other, stimulus)]
            raise UserError(
                f"{there} positions of {names[0]} can't be put into {here} of {names[1]} at `{what.site}`",
                kind="positions",
                hint="swap between questions of equally many words, or at visual or answer positions",
            )
