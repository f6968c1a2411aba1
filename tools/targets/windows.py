"""Qwen2.5-VL's vision tower: layers that attend within windows, over the patches of a square picture.

Knows where sites sit in it and how patches are sorted; knows nothing about prompts or the decoder (qwen.py).
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers.vision_utils import get_vision_window_index

from store.address import Address, Layers
from store.errors import UserError
from tools.targets.adapter import Tap
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
        heads, stream, neurons = self.config.num_heads, self.config.hidden_size, self.config.intermediate_size
        attention, mlp = block.attn, block.mlp
        rows = Layout(places=self._places.to(attention.qkv.weight.device))
        at = partial(Tap, site, space="vision", layout=rows)
        match site.place:
            case "resid_pre":
                return at(module=block, side="input", width=stream)
            case "attn.q" | "attn.k" | "attn.v":
                first = ("attn.q", "attn.k", "attn.v").index(site.place) * stream
                own = replace(rows, columns=slice(first, first + stream))
                return at(module=attention.qkv, side="output", width=stream, heads=heads, layout=own)
            case "attn.pattern":
                return at(module=attention, side="pattern", width=heads, heads=heads)
            case "attn.z":
                return at(module=attention.proj, side="input", width=stream, heads=heads)
            case "attn.out":
                return at(module=attention.proj, side="output", width=stream)
            case "resid_mid":
                return at(module=block.norm2, side="shared input", width=stream)
            case "mlp.pre":
                return at(module=mlp.gate_proj, side="output", width=neurons)
            case "mlp.act":
                return at(module=mlp.down_proj, side="input", width=neurons)
            case "mlp.out":
                return at(module=mlp.down_proj, side="output", width=stream)
            case "resid_post":
                return at(module=block, side="output", width=stream)
        raise ValueError(f"{site} belongs to no layer")

    def output_row(self, address: Address) -> Float[Tensor, "... width"]:
        """A neuron's column of the last linear map [width]; a head's slice of the output projection [head width]."""
        block, index = self._tower.blocks[address.layer], address.index
        if index is None:
            raise UserError(
                f"`{address}` does not write through one row of weights",
                kind="address",
                hint="name a neuron or a head",
            )
        if address.part == "mlp":
            return block.mlp.down_proj.weight.detach()[:, index]
        size = block.attn.head_dim
        return block.attn.proj.weight.detach()[:, index * size : (index + 1) * size].T

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
