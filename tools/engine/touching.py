"""What is done to rows that run together, and what is read in them, as hooks on one forward pass.

Knows bound rows; knows nothing about where rows start, nor how they are carried on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from tools.engine.bind import Bound, BoundRow
from tools.engine.hooks import Touch, hooked
from tools.engine.write import Edit
from tools.targets.adapter import Tap
from tools.targets.batch import Batch
from tools.targets.decoder import FEWEST
from tools.targets.sites import Site

Found = dict[int, Tensor]
"""By the number of a row."""


def touched(
    bound: Bound,
    chosen: Sequence[BoundRow],
    numbers: Sequence[int],
    kept: Mapping[Site, Found],
    batch: Batch,
    last: int | None = None,
) -> AbstractContextManager[None]:
    """Writes, cuts and reads in rows of these numbers while they run, over their `last` positions (None: over all).

    What is read goes into `kept`. Further rows may run behind them.
    """
    busy = {edit.tap.site for row in chosen for edit in row.edits}
    touches = [
        (tap, _touch(tap, chosen, numbers, kept.get(tap.site)))
        for tap in bound.ordered()
        if tap.site in kept or tap.site in busy
    ]
    return hooked(touches, _cuts(chosen, batch, last))


def by_position(tap: Tap, tensor: Tensor) -> Tensor:
    """A view in which positions come second: of a pattern, [row query head key]."""
    return tensor.transpose(1, 2) if tap.side == "pattern" else tensor


def _touch(tap: Tap, block: Sequence[BoundRow], numbers: Sequence[int], kept: Found | None) -> Touch:
    """Writes the block's edits of a site, then keeps what stands there when it is to be read."""
    edits: list[tuple[int, Edit]] = [
        (place, edit) for place, row in enumerate(block) for edit in row.edits if edit.tap is tap
    ]
    needed = len(block) if kept is not None else 1 + max(place for place, _ in edits)

    def touch(tensor: Tensor) -> Tensor | None:
        if len(tensor) < needed:
            raise RuntimeError(f"`{tap.site}` runs {len(tensor)} rows where {needed} are touched")
        changed = tensor.clone() if edits else tensor
        for place, edit in edits:
            edit.apply(by_position(tap, changed)[place])
        if kept is not None:
            kept.update(zip(numbers, changed.clone(), strict=False))
        return changed if edits else None

    return touch


def _cuts(
    block: Sequence[BoundRow], batch: Batch, last: int | None
) -> list[tuple[Tap, Bool[Tensor, "row head query key"]]]:
    """The edges that are cut in each attention module."""
    found: dict[nn.Module, tuple[Tap, Tensor]] = {}
    for number, row in enumerate(block):
        for cut in row.cuts:
            tap = cut.tap
            queries = last or batch.width(tap.space)
            shape = (max(len(block), FEWEST), tap.heads, queries, batch.width(tap.looks_at))
            none = torch.zeros(shape, dtype=torch.bool, device=cut.keys.device)
            _, edges = found.setdefault(tap.module, (tap, none))
            edges[number, tap.part(cut.head), cut.queries[:, None], cut.keys] = True
    return list(found.values())
