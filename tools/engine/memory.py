"""What a decoder's layers were given in an untouched run: their streams, keys and values.

With it, a row that differs from the untouched run at its last positions only has to run over these alone. Knows
decoders; knows nothing about plans, nor how long a memory is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from tools.engine.attention import remembering
from tools.engine.budget import Budget
from tools.engine.hooks import Touch, hooked
from tools.engine.room import as_many_as_fit
from tools.targets.adapter import Adapter, Halted
from tools.targets.batch import Batch
from tools.targets.decoder import Decoder
from tools.targets.sites import Site


class Remembered(NamedTuple):
    """What entered one layer, and what its attention had as keys (rotated) and values."""

    stream: Float[Tensor, "stimulus position width"]
    keys: Float[Tensor, "stimulus group position part"]
    values: Float[Tensor, "stimulus group position part"]


def entering(layer: int) -> Site:
    """The stream that enters a layer of the decoder."""
    return Site("resid_pre", "language", layer)


def remember(
    adapter: Adapter, decoder: Decoder, batch: Batch, halted: Halted | None, first: int, budget: Budget
) -> dict[int, Remembered]:
    """Runs a batch untouched, from its inputs or where it was halted, and keeps all layers from `first` on."""
    layers = range(first, decoder.layers)
    attentions = {number: decoder.stack.layers[number].self_attn for number in layers}
    end = Site("resid_post", "language", decoder.layers - 1)
    found: dict[int, list[Remembered]] = {number: [] for number in layers}

    def run(rows: Sequence[int]) -> None:
        streams: dict[int, Tensor] = {}
        touches = [(adapter.tap(entering(number)), _keep(streams, number)) for number in layers]
        with remembering(adapter.target.model, "language", attentions.values()) as passed, hooked(touches):
            adapter.halt(batch.rows(rows), end, halted and halted.rows(rows))
        for number in layers:
            ((keys, values),) = passed[attentions[number]]
            found[number].append(Remembered(streams[number], keys, values))

    room = budget.checked(batch)
    for start in range(0, len(batch), room.rows):
        as_many_as_fit(run, range(start, min(start + room.rows, len(batch))), room)
    return {number: Remembered(*map(_joined, zip(*parts, strict=True))) for number, parts in found.items()}


def memory_bytes(decoder: Decoder, batch: Batch, first: int) -> int:
    """How much the memory of a batch takes, from a layer on."""
    config = decoder.stack.config
    heads = config.num_attention_heads
    groups = getattr(config, "num_key_value_heads", None) or heads
    part = decoder.stack.layers[first].self_attn.head_dim
    numbers = config.hidden_size + 2 * groups * part
    size = decoder.head.weight.dtype.itemsize
    return (decoder.layers - first) * len(batch) * batch.width("language") * numbers * size


def _keep(streams: dict[int, Tensor], number: int) -> Touch:
    def keep(tensor: Tensor) -> None:
        streams[number] = tensor.clone()

    return keep


def _joined(parts: Sequence[Tensor]) -> Tensor:
    return parts[0].contiguous() if len(parts) == 1 else torch.cat(list(parts))
