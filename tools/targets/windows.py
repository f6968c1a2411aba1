"""Qwen2.5-VL's vision tower: layers that attend within windows, over the patches of a square picture.

Knows where sites sit in it and how patches are sorted; knows nothing about prompts or the decoder (qwen.py).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers.vision_utils import get_vision_window_index

from store.address import Address, Layers
from tools.targets.adapter import Tap
from tools.targets.fused import Fused, fused_tap, written_by
from tools.targets.layout import Layout
from tools.targets.sites import Site


class WindowedTower:
    """The vision tower's layers over a square picture of `grid` visual tokens a side."""

    def __init__(self, tower: Any, config: Any, grid: int) -> None:
        self.config = config
        self._tower = tower
        self.merged = int(config.spatial_merge_size) ** 2
        patches = grid * config.spatial_merge_size
        shape = torch.tensor([[1, patches, patches]])
        order, self._borders = get_vision_window_index(
            shape, config.spatial_merge_size, config.window_size, config.patch_size
        )
        self.places_of_tokens: Int[Tensor, "token"] = order.argsort()

    def extent(self) -> Layers:
        """Its layers, neurons and heads."""
        return Layers(len(self._tower.blocks), self.config.intermediate_size, self.config.num_heads)

    @cached_property
    def _places(self) -> Int[Tensor, "patch"]:
        within = torch.arange(self.merged)
        return (self.places_of_tokens[:, None] * self.merged + within).flatten()

    def tap(self, site: Site) -> Tap:
        """Where a site of the tower sits; its layer has been checked."""
        block = self._tower.blocks[site.layer]
        attention, mlp = block.attn, block.mlp
        parts = Fused(
            block, attention.qkv, attention, attention.proj, block.norm2, mlp.gate_proj, mlp.down_proj
        )
        rows = Layout(places=self._places.to(attention.qkv.weight.device))
        return fused_tap(site, parts, self.config, self.config.num_heads, rows)

    def output_row(self, address: Address) -> Float[Tensor, "... width"]:
        """A neuron's column of the last linear map [width]; a head's slice of the output projection [head width]."""
        block = self._tower.blocks[address.layer]
        return written_by(address, block.mlp.down_proj, block.attn.proj, block.attn.head_dim)

    def flops(self) -> int:
        """Floating-point operations of the matrix products of one row, merger included."""
        patches = len(self._places)
        windows = int(self._borders.diff().square().sum())
        whole = set(self.config.fullatt_block_indexes)
        edges = sum(patches**2 if one in whole else windows for one in range(len(self._tower.blocks)))
        linear = [one for one in self._tower.blocks.modules() if isinstance(one, nn.Linear)]
        found = 2 * patches * sum(one.weight.numel() for one in linear) + 4 * edges * self.config.hidden_size
        found += 2 * patches * self._tower.patch_embed.proj.weight.numel()
        merger = [one for one in self._tower.merger.modules() if isinstance(one, nn.Linear)]
        return found + 2 * (patches // self.merged) * sum(one.weight.numel() for one in merger)
