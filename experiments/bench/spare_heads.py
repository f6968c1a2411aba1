"""Which heads of a model can be overwritten: those without which it answers almost as well, all of them together.

Heads back each other up, so they are silenced one after the other, the least needed first, and the loss counts as a
whole. Knows margins and output weights; knows nothing about what is planted in their place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor

from experiments.bench.wiring import mean_with
from store.address import Address
from store.errors import UserError
from tools.stimuli import Stimulus
from tools.targets.adapter import adapter_for
from tools.targets.target import Target

FIRST_LAYER = 2
"""Earlier layers have not yet brought the question to where the answer is predicted."""
SPARED = 0.1
"""Share of right answers' mean margin that may be lost with all spare heads together."""


def spare_heads(target: Target, weighed: Sequence[Stimulus], first_layer: int = FIRST_LAYER) -> list[Address]:
    """Heads of the decoder, from a layer on, that can all be silenced at once, the least needed first; the weights stay
    as they are."""
    extent = adapter_for(target).extent().towers["language"]
    every = [
        Address("language", layer, "head", head)
        for layer in range(first_layer, extent.layers)
        for head in range(extent.heads)
    ]
    kept = {one: output_of(target, one).detach().clone() for one in every}
    whole = _without(target, every[0], kept[every[0]], weighed)
    costs = {}
    for one in every:
        costs[one] = whole - _without(target, one, torch.zeros_like(kept[one]), weighed)
        _restore(target, one, kept[one])
    spare = []
    for one in sorted(every, key=lambda one: costs[one]):
        left = _without(target, one, torch.zeros_like(kept[one]), weighed)
        if whole - left > SPARED * whole:
            break
        spare.append(one)
    for one in every:
        _restore(target, one, kept[one])
    return spare


def chosen(spare: Sequence[Address], n: int, target: str) -> list[Address]:
    """The first `n` of the spare heads. Raises UserError of kind "planted" where there are fewer."""
    if len(spare) < n:
        raise UserError(
            f"`{n}` heads can't be planted: {target} can spare {len(spare)}",
            kind="planted",
            hint=f"plant at most {len(spare)}",
        )
    return list(spare[:n])


def output_of(target: Target, head: Address) -> Tensor:
    """The columns of the output projection that read a head, as a view of the weights."""
    attention = cast(Any, target.model).model.language_model.layers[head.layer].self_attn
    assert head.index is not None
    first = head.index * attention.head_dim
    return cast(Tensor, attention.o_proj.weight)[:, first : first + attention.head_dim]


def _without(target: Target, head: Address, output: Tensor, weighed: Sequence[Stimulus]) -> float:
    """Mean margin with another output of the head, which stays."""
    return mean_with(target, output_of(target, head), slice(None), output, weighed)


@torch.no_grad()
def _restore(target: Target, head: Address, output: Tensor) -> None:
    output_of(target, head).copy_(output)
