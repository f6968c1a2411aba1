"""Attention over a part of the keys, and what two parts come to together.

A part's result goes with the logarithm of the sum that its softmax divides by; from both, that of all keys follows
without joining keys or scores. Torch's own kernel for CPUs gives the two, and never holds all scores; elsewhere they
are computed in the open, head by head. Knows tensors alone.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from tools.targets.decoder import FEWEST

FLASH = getattr(torch.ops.aten, "_scaled_dot_product_flash_attention_for_cpu", None)
"""What `scaled_dot_product_attention` itself calls on a CPU; it alone tells the logarithm."""


class Part(NamedTuple):
    """What queries take of a part of the keys, and the logarithm of their sum of exponentials there."""

    mixed: Float[Tensor, "row head query width"]
    log_sum: Float[Tensor, "row head query"]


def has_kernel(query: Tensor) -> bool:
    """Whether parts are computed by a kernel that never holds all scores."""
    return FLASH is not None and query.device.type == "cpu"


def part(
    query: Float[Tensor, "row head query width"],
    key: Float[Tensor, "row head key width"],
    value: Float[Tensor, "row head key width"],
    mask: Float[Tensor, "#row 1 #query key"] | None,
    scaling: float,
    causal: bool = False,
) -> Part:
    """Attention to these keys alone. `causal`: as many as there are queries, each of which sees those up to its own;
    the mask says so too, where it is needed."""
    if FLASH is not None and has_kernel(query):
        return Part(*FLASH(query, key, value, 0.0, causal, attn_mask=None if causal else mask, scale=scaling))
    mixed = torch.empty_like(query)
    log_sum = torch.empty(query.shape[:3], dtype=torch.float32, device=query.device)
    for head in range(query.shape[1]):
        scores = ((query[:, head] * scaling) @ key[:, head].transpose(1, 2)).float()
        if mask is not None:
            scores += mask[:, 0]
        log_sum[:, head] = scores.logsumexp(-1)
        mixed[:, head] = scores.sub_(log_sum[:, head, :, None]).exp_().to(value.dtype) @ value[:, head]
    return Part(mixed, log_sum)


def shared(
    query: Float[Tensor, "row head query width"],
    keys: Float[Tensor, "group key width"],
    values: Float[Tensor, "group key width"],
    hidden: Float[Tensor, "key"] | None,
    scaling: float,
) -> Part:
    """Attention to keys that all rows share, as one product a group for the queries of all rows.

    `hidden` is added to the scores. Queries are made a multiple of FEWEST, so that no block of them is smaller.
    """
    rows, heads, queries, width = query.shape
    together = query.transpose(1, 2).reshape(rows, queries, len(keys), -1, width)
    together = together.permute(2, 0, 1, 3, 4).reshape(1, len(keys), -1, width)
    number = together.shape[2]
    more = -number % FEWEST
    if more:
        together = torch.cat([together, together[:, :, -1:].expand(-1, -1, more, -1)], dim=2)
    mask = None if hidden is None else hidden[None, None, None]
    mixed, log_sum = part(together, keys[None], values[None], mask, scaling)

    def apart(tensor: Tensor) -> Tensor:
        found = tensor[0, :, :number].unflatten(1, (rows, queries, heads // len(keys)))
        return found.movedim(0, 2).flatten(2, 3).transpose(1, 2)

    return Part(apart(mixed), apart(log_sum))


def joined(one: Part, other: Part) -> Float[Tensor, "row head query width"]:
    """What the queries take of both parts' keys.

    In double precision, since the last few numbers of a tensor are rounded otherwise than the rest.
    """
    share = (one.log_sum - other.log_sum).double().sigmoid_()
    return torch.lerp(other.mixed, one.mixed, share[..., None].to(one.mixed.dtype))
