"""Carrying a pack of rows through a decoder: who boards where, with what stream, behind which keys.

Knows packs, memories and the decoder; knows nothing about what is done to a row on the way, which hooks do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext

import torch
from jaxtyping import Float
from torch import Tensor

from tools.engine.attention import behind
from tools.engine.known import Known
from tools.engine.memory import Remembered, entering
from tools.engine.packing import Pack
from tools.targets.batch import Batch
from tools.targets.decoder import Boarding, Decoder
from tools.targets.sites import Site


def carry(
    decoder: Decoder,
    pack: Pack,
    batch: Batch,
    streams: Mapping[Site, Tensor],
    memory: Mapping[int, Remembered],
    remembered: Sequence[int],
) -> Float[Tensor, "row vocabulary"]:
    """Logits of the pack's rows, in its order.

    `batch` and `streams` are those of all stimuli; `memory` is of the stimuli with the numbers in `remembered`, and
    stands in for the streams where there is one.
    """
    width = batch.width("language")
    where = {stimulus: place for place, stimulus in enumerate(remembered)} if memory else None
    boarded = []
    for layer in pack.layers:
        rows = [tail.stimulus for tail in pack.tails if tail.layer == layer]
        stream = memory[layer].stream if where else streams[entering(layer)]
        places = [where[row] for row in rows] if where else rows
        boarded.append(stream[places, width - pack.last :])
    alike = len(set(pack.stimuli)) == 1
    real = batch.real[pack.stimuli[:1] if alike else pack.stimuli]
    positions = decoder.positions(batch, pack.last)[..., pack.stimuli, :]
    boarding = Boarding(pack.layers, tuple(boarded), positions)
    known = {}
    if where and pack.last < width:
        of = None if alike else torch.tensor([where[row] for row in pack.stimuli], device=positions.device)
        chosen = slice(where[pack.stimuli[0]], where[pack.stimuli[0]] + 1) if alike else slice(None)
        whole = bool(real.all())
        known = {
            decoder.stack.layers[layer].self_attn: _before(one, chosen, width - pack.last, of, whole)
            for layer, one in memory.items()
            if layer >= pack.layers[0]
        }
    with behind(known) if known else nullcontext():
        return decoder.run(boarding, decoder.mask(real, pack.last))


def _before(one: Remembered, chosen: slice, positions: int, of: Tensor | None, real: bool) -> Known:
    return Known(one.keys[chosen, :, :positions], one.values[chosen, :, :positions], of, real)
