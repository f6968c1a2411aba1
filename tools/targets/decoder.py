"""A causal decoder whose layers are run one by one, over the last positions of rows that board at different layers.

Knows where its parts are, its masks and its rotations; the keys and values that stand before those positions belong to
the engine. A family has one where every layer attends to all earlier positions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from tools.targets.batch import Batch
from tools.targets.towers import Stack

FEWEST = 4
"""Rows of a matrix product below which some libraries take another way, with other roundings."""


@dataclass(frozen=True, eq=False)
class Decoder:
    """`module` has the layers, `rotary_emb` and the final norm; `head` gives the logits."""

    module: Any
    stack: Stack
    head: nn.Linear

    @property
    def layers(self) -> int:
        return len(self.stack.layers)

    def run(
        self, boarding: Boarding, mask: Float[Tensor, "row 1 query key"]
    ) -> Float[Tensor, "row vocabulary"]:
        """Logits of the last position, as float32, of rows that are carried on from where each of them boards.

        `mask` is added to the scores; one row of it stands for all.
        """
        stream = boarding.streams[0][:0]
        turned = self.module.rotary_emb(stream, position_ids=boarding.positions)
        first = min(boarding.layers, default=self.layers)
        for number in range(first, self.layers):
            if number in boarding.layers:
                stream = torch.cat([stream, boarding.streams[boarding.layers.index(number)]])
            rows = len(stream)
            stream = self.stack.layers[number](
                stream,
                attention_mask=mask[:rows],
                position_ids=boarding.positions[..., :rows, :],
                position_embeddings=tuple(part[..., :rows, :, :] for part in turned),
                past_key_values=None,
                use_cache=False,
            )
        return self.logits(self.module.norm(stream[:, -1:]))

    def logits(self, normed: Float[Tensor, "row 1 width"]) -> Float[Tensor, "row vocabulary"]:
        """Of the position that is given, as float32; those of a row don't hang on how many rows there are."""
        rows = len(normed)
        if rows < FEWEST:
            normed = torch.cat([normed, normed[-1:].expand(FEWEST - rows, -1, -1)])
        return self.head(normed)[:rows, -1].float()

    def mask(self, real: Bool[Tensor, "row position"], last: int) -> Float[Tensor, "row 1 query key"]:
        """What is added to scores of the last positions' queries: nothing to real keys up to the query's own, the
        lowest finite number elsewhere."""
        width = real.shape[1]
        keys = torch.arange(width, device=real.device)
        seen = keys <= keys[width - last :, None]
        dtype = self.head.weight.dtype
        hidden = torch.full((), torch.finfo(dtype).min, dtype=dtype, device=seen.device)
        return torch.where(real[:, None, None] & seen, 0.0, hidden)

    def positions(self, batch: Batch, last: int) -> Int[Tensor, "... row query"]:
        """Position ids of the last positions, as the rotations take them."""
        found = batch.inputs["position_ids"][..., -last:]
        return found if found.ndim == 2 else found.transpose(0, 1)  # of three axes: axis first

    def flops(self, layers: slice, last: int, width: int) -> int:
        """Floating-point operations of one row in these layers, over the last of `width` positions."""
        return self.stack.flops(layers, last, width)

    @property
    def head_flops(self) -> int:
        """Floating-point operations of one row's logits."""
        return 2 * self.head.weight.numel()


@dataclass(frozen=True, eq=False)
class Boarding:
    """Rows in the order in which they board: `streams` of those that enter each of `layers`, which ascend.

    `positions` are all rows' position ids, as the decoder's rotations take them.
    """

    layers: tuple[int, ...]
    streams: tuple[Float[Tensor, "row query width"], ...]
    positions: Int[Tensor, "... row query"]
