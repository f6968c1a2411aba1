"""Activations: the values of neurons and heads on stimuli, pooled over tokens or laid out over the picture.

Knows how to read many components in one forward pass a stimulus. A neuron's activation is an input of its MLP's last
linear map; a head's is the length of what it adds to the residual stream at a position, and its map over the picture is
its attention from the answer position (in the vision tower: from the class token; `asking` says from where else).
Knows nothing about what pictures show; whatever else can answer these two questions may stand in its place.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, groupby
from operator import itemgetter
from typing import NamedTuple, Protocol

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor

from store.address import Address
from store.errors import UserError
from tools.engine.room import as_many_as_fit
from tools.meter import count
from tools.pooling import Tokens, length_factor, pool, tokens_of, written
from tools.pools import POOLS, side
from tools.reading import read
from tools.rounds import ask
from tools.stimuli import Stimulus
from tools.targets.adapter import Adapter, Tap, adapter_for
from tools.targets.batch import SCOPES, Batch, Space
from tools.targets.sites import Site, site_of
from tools.targets.target import Target

__all__ = ["POOLS", "ActivationSource", "ModelActivations", "side"]

BATCH = 32
"""Rows that go through the model at once."""
MAP_BATCH = 8
"""Rows at once where whole attention patterns are made."""


class ActivationSource(Protocol):
    """Anything that has components with activations."""

    def pooled(
        self, addresses: Sequence[Address], stimuli: Sequence[Stimulus], /
    ) -> Float32[np.ndarray, "pool stimulus component"]:
        """Values by POOLS; NaN where a pool has no tokens, infinite where the model gives no finite number.

        Each depends on its own stimulus alone (to 1e-5).
        """
        ...

    def maps(
        self, address: Address, stimuli: Sequence[Stimulus], /
    ) -> Float32[np.ndarray, "stimulus rows columns"]:
        """Over the picture, row by row: a neuron's activation at, or a head's attention to, each visual token."""
        ...


@dataclass(frozen=True, eq=False)
class _Stop:
    """Components read at one site: their columns in the result, and the units that they are."""

    tap: Tap
    columns: Int64[np.ndarray, "component"]
    units: Tensor | None
    factors: Float[Tensor, "head width width"] | None

    def read(self, tensor: Tensor) -> Float[Tensor, "row position component"]:
        values = tensor if self.factors is None else written(tensor, self.factors)
        return values if self.units is None else values[..., self.units]


class _Wanted(NamedTuple):
    """What one caller wants to know, and where it is filled in."""

    stops: Sequence[_Stop]
    stimuli: Sequence[Stimulus]
    found: Float32[np.ndarray, "pool stimulus component"]


@dataclass(frozen=True, eq=False)
class _Part:
    """Some of the stimuli of what is wanted, which go through the model at once."""

    wanted: _Wanted
    rows: slice
    batch: Batch
    tokens: dict[Space, Tokens] = field(default_factory=dict)

    def only(self, rows: Sequence[int]) -> _Part:
        """Some of its rows, which are neighbours."""
        if len(rows) == len(self.batch):
            return self
        first = self.rows.start + rows[0]
        return _Part(self.wanted, slice(first, first + len(rows)), self.batch.rows(rows))

    def keep(self, site: Site, tensor: Tensor) -> None:
        """Pools what passed a site in these rows, where it is wanted."""
        for stop in self.wanted.stops:
            if stop.tap.site == site:
                space = stop.tap.space
                if space not in self.tokens:
                    self.tokens[space] = tokens_of(self.batch, space)
                values = pool(stop.read(tensor), self.tokens[space])
                self.wanted.found[:, self.rows, stop.columns] = values.cpu().numpy()


class ModelActivations:
    """The components of a target's own model, in float32. Where patches are merged, a map shows their mean.

    `passes` counts how often the model was run.
    """

    def __init__(self, target: Target, adapter: Adapter | None = None, *, batch: int = BATCH) -> None:
        self.target = target
        self._adapter = adapter if adapter is not None else adapter_for(target)
        self._batch = batch
        self.passes = 0
        self._factors: dict[Site, Tensor] = {}

    def pooled(
        self, addresses: Sequence[Address], stimuli: Sequence[Stimulus], /
    ) -> Float32[np.ndarray, "pool stimulus component"]:
        """Raises UserError of kind "address" for what is neither a neuron nor a head."""
        found = np.full((len(POOLS), len(stimuli), len(addresses)), np.nan, np.float32)
        if stops := self._stops(addresses):
            ask(self._together, _Wanted(stops, stimuli, found))
            count(len(stimuli))
        return found

    def _together(self, wanted: Sequence[_Wanted]) -> list[Exception | None]:
        """Finds what is wanted, together or, where that fails, each alone: none fails for another."""
        try:
            self._shared(wanted)
            return [None] * len(wanted)
        except Exception as error:
            if len(wanted) == 1:
                return [error]
        return [self._together([one])[0] for one in wanted]

    def _shared(self, wanted: Sequence[_Wanted]) -> None:
        """Parts of one shape share passes."""
        waiting: dict[Hashable, list[_Part]] = {}
        for one in wanted:
            for first in range(0, len(one.stimuli), self._batch):
                rows = slice(first, min(first + self._batch, len(one.stimuli)))
                part = _Part(one, rows, self._adapter.batch(one.stimuli[rows]))
                beside = waiting.setdefault(part.batch.shape, [])
                if sum(len(other.batch) for other in beside) + len(part.batch) > self._batch:
                    self._read(beside)
                    beside.clear()
                beside.append(part)
        for parts in waiting.values():
            self._read(parts)

    def _read(self, parts: Sequence[_Part]) -> None:
        """One pass for all of them, or several where memory is short."""
        if parts:
            as_many_as_fit(self._pass, [(part, row) for part in parts for row in range(len(part.batch))])

    def _pass(self, seats: Sequence[tuple[_Part, int]]) -> None:
        """Reads rows of parts, each at its part's own stops."""
        parts = [part.only([row for _, row in mine]) for part, mine in groupby(seats, key=itemgetter(0))]
        batch = Batch.joined([part.batch for part in parts])
        # A batch without any text has no language side (contrastive models): its values stay NaN.
        taps = {
            stop.tap.site: stop.tap
            for part in parts
            for stop in part.wanted.stops
            if batch.width(stop.tap.space)
        }
        sites, ends = list(taps), list(accumulate(len(part.batch) for part in parts))

        def keep(place: int, tensor: Tensor) -> None:
            for part, end in zip(parts, ends, strict=True):
                part.keep(sites[place], tensor[end - len(part.batch) : end])

        if taps:
            read(list(taps.values()), partial(self._adapter.forward, batch), keep)
            self.passes += 1

    def maps(
        self, address: Address, stimuli: Sequence[Stimulus], /
    ) -> Float32[np.ndarray, "stimulus rows columns"]:
        """Raises UserError of kind "address" where no visual token is seen (a text tower, other kinds of parts)."""
        (stop,) = self._stops([address])
        tap = stop.tap
        if address.part == "head":
            tap = self._adapter.tap(Site("attn.pattern", address.tower, address.layer))
        grid = self._adapter.boxes(*stimuli[0].image.size) if stimuli else None
        found: list[Tensor] = []

        def map_some(numbers: Sequence[int]) -> None:
            batch = self._adapter.batch(stimuli[numbers[0] : numbers[-1] + 1])
            space = tap.looks_at if tap.side == "pattern" else tap.space
            visual = batch.where(space, "visual") if "visual" in SCOPES[space] else None
            merged = batch.merged if space == "vision" else 1
            cells = 0 if grid is None else grid.rows * grid.columns * merged
            if visual is None or not bool((visual.sum(1) == cells).all()):
                raise UserError(
                    f"`{address}` sees no grid of visual tokens, so it has no map over the picture",
                    kind="address",
                    hint="name a component at whose layer picture tokens pass",
                )

            def keep(_: int, tensor: Tensor) -> None:
                if tap.side == "pattern":
                    queries = asking(batch, tap.space).float()
                    weights = tensor[:, address.index].float()
                    over = (weights * queries[..., None]).sum(1) / queries.sum(1, keepdim=True)
                else:
                    over = tensor[..., address.index].float()
                found.append(over[visual].view(len(batch), -1, merged).mean(-1).cpu())

            read([tap], partial(self._adapter.forward, batch), keep)
            self.passes += 1
            count(len(batch))

        for first in range(0, len(stimuli), MAP_BATCH):
            as_many_as_fit(map_some, range(first, min(first + MAP_BATCH, len(stimuli))))
        if grid is None:
            return np.zeros((0, 0, 0), np.float32)
        return torch.cat(found).view(-1, grid.rows, grid.columns).numpy()

    def _stops(self, addresses: Sequence[Address]) -> list[_Stop]:
        """The sites that hold the components, each once."""
        places: dict[Site, list[tuple[int, int]]] = {}
        for column, address in enumerate(addresses):
            site, index = site_of(address)
            if index is None:
                raise UserError(
                    f"`{address}` has no one activation", kind="address", hint="name a neuron or a head"
                )
            places.setdefault(site, []).append((column, index))
        return [self._stop(site, held) for site, held in places.items()]

    def _stop(self, site: Site, held: list[tuple[int, int]]) -> _Stop:
        tap = self._adapter.tap(site)
        columns, units = zip(*held, strict=True)
        whole = list(units) == list(range(tap.units))
        return _Stop(
            tap,
            np.array(columns),
            None if whole else torch.tensor(units, device=self.target.device),
            self._length_factors(tap) if tap.heads else None,
        )

    def _length_factors(self, tap: Tap) -> Tensor:
        if tap.site not in self._factors:
            tower, layer = tap.site.tower, tap.site.layer
            assert tower is not None and layer is not None
            self._factors[tap.site] = torch.stack(
                [
                    length_factor(self._adapter.output_row(Address(tower, layer, "head", head)))
                    for head in range(tap.heads)
                ]
            )
        return self._factors[tap.site]


def asking(batch: Batch, space: Space) -> Bool[Tensor, "row position"]:
    """From where a head's map is its attention: the class token, the answer position, the question's words where the
    answer is apart, or all patches where there is no class token."""
    everywhere = batch.where(space, "all")
    if space == "vision" and batch.lead:
        return everywhere & ~batch.where(space, "visual")
    if space == "vision":
        return everywhere
    if space == "language" and batch.apart:
        words = batch.where(space, "question")
        return words | (everywhere & ~words.any(1, keepdim=True))
    return batch.where(space, "answer")
