"""Many questions behind one prefix in a single pass, none of which sees another.

A packed sequence is a prefix (a picture, or a text) followed by slots. A slot sees the prefix and itself, and its
positions start where the prefix ends, so every question is a first question. The result equals separate sequences
(tests/experiments/tableau/train/test_packing.py); only the arithmetic is shared. Knows nothing about what is asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface


@dataclass(frozen=True)
class Packing:
    """The layout of a packed sequence.

    `prefix` positions come first, of which row b uses the first `lengths[b]`; then `slots` groups of equal slots,
    each given as (number, positions per slot).
    """

    prefix: int
    lengths: Int[Tensor, "row"]
    slots: tuple[tuple[int, int], ...]

    @property
    def positions(self) -> Int[Tensor, "row position"]:
        """Rotary position of every place."""
        device = self.lengths.device
        rows = len(self.lengths)
        parts = [torch.arange(self.prefix, device=device).expand(rows, -1)]
        for number, width in self.slots:
            parts.append(self.lengths[:, None] + torch.arange(width, device=device).repeat(number)[None])
        return torch.cat(parts, dim=1)

    @property
    def hidden_prefix(self) -> Bool[Tensor, "row 1 1 prefix"] | None:
        """Which places of the prefix are padding; None when no row has any."""
        if bool((self.lengths == self.prefix).all()):
            return None
        places = torch.arange(self.prefix, device=self.lengths.device)
        return (places[None] >= self.lengths[:, None])[:, None, None]


def packed_attention(
    module: nn.Module,
    query: Float[Tensor, "row head position width"],
    key: Float[Tensor, "row head position width"],
    value: Float[Tensor, "row head position width"],
    attention_mask: None,
    *,
    packing: Packing,
    scaling: float,
    dropout: float = 0.0,
    **_: object,
) -> tuple[Float[Tensor, "row position head width"], None]:
    """Causal attention in the prefix; in each slot, attention to the prefix and causally to itself."""
    prefix = packing.prefix
    seen_key, seen_value = key[:, :, :prefix], value[:, :, :prefix]
    parts = [
        F.scaled_dot_product_attention(
            query[:, :, :prefix], seen_key, seen_value, is_causal=True, scale=scaling
        )
    ]
    hidden = packing.hidden_prefix
    start = prefix
    for number, width in packing.slots:
        stop = start + number * width
        asked = query[:, :, start:stop] * scaling
        to_prefix = asked @ seen_key.transpose(-1, -2)
        if hidden is not None:
            to_prefix = to_prefix.masked_fill(hidden, float("-inf"))
        block = (*query.shape[:2], number, width, query.shape[-1])
        own = asked.reshape(block) @ key[:, :, start:stop].reshape(block).transpose(-1, -2)
        later = torch.ones(width, width, dtype=torch.bool, device=query.device).triu(1)
        own = own.masked_fill(later, float("-inf")).reshape(*query.shape[:2], number * width, width)
        weights = torch.cat([to_prefix, own], dim=-1).softmax(-1)
        from_own = weights[..., prefix:].reshape(*block[:-1], width) @ value[:, :, start:stop].reshape(block)
        parts.append(weights[..., :prefix] @ seen_value + from_own.reshape(asked.shape))
        start = stop
    return torch.cat(parts, dim=2).transpose(1, 2).contiguous(), None


def register() -> None:
    """Makes `attn_implementation="packed"` known; pass `packing=` to the decoder's forward."""
    AttentionInterface.register("packed", packed_attention)
    AttentionMaskInterface.register("packed", lambda *_, **__: None)
