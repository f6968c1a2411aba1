"""Attention whose pattern can be read, written and cut edge by edge.

Registers one attention function with transformers, beside the masks that it needs, and switches towers to it for a
while. Everything is computed in the open (scores, mask, softmax, sum), since fused kernels show no pattern. A cut edge
gets a score of −∞; a query whose edges are all cut attends to nothing and gets zeros, not an even share of what it may
not see. Knows nothing about plans or rows' meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from transformers import AttentionInterface, PreTrainedModel
from transformers.masking_utils import AttentionMaskInterface, eager_mask

from store.address import Tower

NAME = "maieutic_open"
CONFIGS: dict[Tower, str] = {"vision": "vision_config", "language": "text_config"}
"""Where the configuration of a family's towers is found."""

Pattern = Float[Tensor, "row head query key"]


@dataclass(eq=False)
class Watch:
    """What is done inside one attention module: edges that are cut, then what is made of the pattern (None: nothing).

    `fired` counts how often the module asked.
    """

    cut: Bool[Tensor, "row head query key"] | None = None
    touch: Callable[[Pattern], Pattern | None] | None = None
    fired: int = 0


_watches: dict[nn.Module, Watch] = {}


@contextmanager
def opened(model: PreTrainedModel, towers: Iterable[Tower]) -> Iterator[None]:
    """Computes the towers' attention in the open while the context lasts."""
    wanted = {CONFIGS[tower]: NAME for tower in towers}
    if not wanted:
        yield
        return
    before = {name: getattr(model.config, name)._attn_implementation for name in wanted}
    model.set_attn_implementation(wanted)
    try:
        yield
    finally:
        model.set_attn_implementation(before)


@contextmanager
def watched(watches: dict[nn.Module, Watch]) -> Iterator[None]:
    """Does what the watches say while the context lasts; their modules' tower must be `opened`."""
    _watches.update(watches)
    try:
        yield
    finally:
        for module in watches:
            del _watches[module]


def _attend(
    module: nn.Module,
    query: Float[Tensor, "row head query width"],
    key: Float[Tensor, "row group key width"],
    value: Float[Tensor, "row group key width"],
    attention_mask: Float[Tensor, "row 1 query key"] | None,
    scaling: float,
    dropout: float = 0.0,
    **more: Any,
) -> tuple[Float[Tensor, "row query head width"], Pattern]:
    causal = more.get("is_causal", getattr(module, "is_causal", False))
    if dropout or (causal and attention_mask is None and query.shape[2] > 1):
        raise RuntimeError("attention is computed without the mask that it needs, or in training")
    shared = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(shared, dim=1), value.repeat_interleave(shared, dim=1)
    scores = (query @ key.transpose(2, 3)) * scaling
    if attention_mask is not None:
        scores = scores + attention_mask
    watch = _watches.get(module)
    if watch is not None and watch.cut is not None:
        scores = _cut(scores, attention_mask, watch.cut)
    pattern = scores.softmax(-1, dtype=torch.float32).to(query.dtype)
    if watch is not None:
        watch.fired += 1
        if watch.cut is not None:
            pattern = pattern.masked_fill(scores.isneginf().all(-1, keepdim=True), 0.0)
        if watch.touch is not None:
            replaced = watch.touch(pattern)
            pattern = pattern if replaced is None else replaced
    return (pattern @ value).transpose(1, 2).contiguous(), pattern


def _cut(scores: Tensor, mask: Tensor | None, cut: Bool[Tensor, "row head query key"]) -> Tensor:
    """−∞ at cut edges and, in queries that lose an edge, at masked ones too.

    The mask's own values are finite: they would share out the attention of a query that has nothing else left.
    """
    scores = scores.masked_fill(cut, float("-inf"))
    if mask is None:
        return scores
    hidden = (mask <= torch.finfo(mask.dtype).min / 2) & cut.any(-1, keepdim=True)
    return scores.masked_fill(hidden, float("-inf"))


AttentionInterface.register(NAME, cast(Any, _attend))
AttentionMaskInterface.register(NAME, eager_mask)
