"""Attribution patching: what patching each component would do, guessed for all of them at once from gradients.

Activation difference between the sides of a pair times the metric's gradient (Nanda 2023): on the corrupt side it
guesses denoising, on the clean side noising. Exact where the metric is linear in the activation; elsewhere a ranking
that has to be verified by patching. `direct` takes the gradient at the end of the stream instead, and so leaves out
whatever a component does through later ones. Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from store.address import Address
from tools.context import ToolContext
from tools.methods.duels import Duel

if TYPE_CHECKING:
    from torch import Tensor

    from tools.engine.gradients import Slopes
    from tools.targets.batch import Batch
    from tools.targets.sites import Site

AT_ONCE = 8
"""Pairs that go through the model together."""


class Attributed(NamedTuple):
    """Guesses in logits of the margin between the two answers, pair by pair and component by component."""

    components: tuple[Address, ...]
    denoising: Float[np.ndarray, "pair component"]
    noising: Float[np.ndarray, "pair component"]
    gaps: Float[np.ndarray, "pair"]

    @property
    def both(self) -> Float[np.ndarray, "pair component"]:
        """The mean of the two guesses."""
        return (self.denoising + self.noising) / 2


def attributed(
    context: ToolContext, duels: Sequence[Duel], components: Sequence[Address], *, direct: bool = False
) -> Attributed:
    """Guesses for every component; of neurons and heads in the language tower at the answer position alone where
    `direct`. The sides of a pair must have equally many tokens (the same question on both)."""
    import torch

    order = {address: place for place, address in enumerate(components)}
    sites = _sites(components)
    parts: list[tuple[Tensor, Tensor, Tensor]] = []
    for start in range(0, len(duels), AT_ONCE):
        block = duels[start : start + AT_ONCE]
        batch = context.adapter.batch(
            [side for duel in block for side in (duel.pair.with_, duel.pair.without)]
        )
        found = _slopes(context, batch, block, [*sites, *([_end(context)] if direct else [])])
        guesses = torch.zeros(2, len(block), len(order))
        for site, held in sites.items():
            both = (
                _direct(context, found, batch, site, held) if direct else _through(context, found, site, held)
            )
            guesses[:, :, [order[address] for address in held]] = both.float().cpu()
        clean, corrupt = found.metric[0::2], found.metric[1::2]
        parts.append((guesses[0], guesses[1], (clean - corrupt).cpu()))
    denoising, noising, gaps = (torch.cat(list(part)).double().numpy() for part in zip(*parts, strict=True))
    return Attributed(tuple(components), denoising, noising, gaps)


def _slopes(context: ToolContext, batch: Batch, block: Sequence[Duel], sites: Sequence[Site]) -> Slopes:
    """The slopes of each side's margin between the pair's two answers."""
    import torch

    from tools.engine.gradients import slopes

    if all(context.adapter.tap(site).space == "language" for site in sites):
        batch = context.adapter.encoded(batch)
    rows = torch.arange(2 * len(block))
    with_ = torch.tensor([duel.with_ for duel in block for _ in range(2)])
    without = torch.tensor([duel.without for duel in block for _ in range(2)])

    def margin(logits: Tensor) -> Tensor:
        return logits[rows, with_] - logits[rows, without]

    return slopes(context.engine, batch, margin, sites)


def _through(
    context: ToolContext, found: Slopes, site: Site, held: Sequence[Address]
) -> Float[Tensor, "direction pair component"]:
    """Difference times gradient, summed over positions: at the corrupt side, then at the clean one."""
    import torch

    difference = found.values[site][0::2] - found.values[site][1::2]
    slope = torch.stack([found.slopes[site][1::2], found.slopes[site][0::2]])
    return _by_part(context, (difference * slope).sum(2), site, held)


def _direct(
    context: ToolContext, found: Slopes, batch: Batch, site: Site, held: Sequence[Address]
) -> Float[Tensor, "direction pair component"]:
    """What the difference at the answer position adds to the end of the stream, times the gradient there."""
    import torch

    rows = torch.arange(len(batch), device=batch.answer.device)
    values, end = found.values[site][rows, batch.answer], found.slopes[_end(context)][rows, batch.answer]
    outputs = [context.adapter.output_row(address).detach().float() for address in held]
    difference = values[0::2] - values[1::2]
    each = torch.stack(
        [
            difference[:, context.adapter.tap(site).part(address.index)] @ row.reshape(-1, row.shape[-1])
            for address, row in zip(held, outputs, strict=True)
        ]
    )
    corrupt, clean = ((each * end[side::2]).sum(-1).T for side in (1, 0))
    return torch.stack([corrupt, clean])


def _by_part(
    context: ToolContext, products: Tensor, site: Site, held: Sequence[Address]
) -> Float[Tensor, "direction pair component"]:
    """Sums over each component's slice of the site."""
    tap = context.adapter.tap(site)
    each = products.reshape(*products.shape[:-1], tap.units, -1).sum(-1)
    return each[..., [address.index or 0 for address in held]]


def _sites(components: Sequence[Address]) -> dict[Site, list[Address]]:
    from tools.targets.sites import site_of

    found: dict[Site, list[Address]] = {}
    for address in components:
        found.setdefault(site_of(address).site, []).append(address)
    return found


def _end(context: ToolContext) -> Site:
    """The residual stream after the last layer."""
    from tools.targets.sites import Site

    return Site("resid_post", "language", context.extent.towers["language"].layers - 1)
