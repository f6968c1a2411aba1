"""Transformer layers by site: which module holds what, for CLIP encoders and decoders of the Llama kind.

Knows the modules' names in transformers, and how a tower runs some of its layers alone; knows nothing about how towers
are joined (`llava.py`, `clip.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from store.address import Address, Layers, Tower
from tools.targets.adapter import Tap
from tools.targets.batch import Space
from tools.targets.fused import written_by
from tools.targets.sites import Site


@dataclass(frozen=True, eq=False)
class Stack:
    """One tower's layers. `config` is the tower's own, by which transformers chooses its attention."""

    tower: Tower
    layers: Any
    config: Any

    @property
    def space(self) -> Space:
        return "vision" if self.tower == "vision" else "language"

    def extent(self) -> Layers:
        return Layers(len(self.layers), self.config.intermediate_size, self.config.num_attention_heads)

    def tap(self, site: Site) -> Tap:
        """Where a site of this tower sits; its layer has been checked."""
        layer = self.layers[site.layer]
        attention, mlp = layer.self_attn, layer.mlp
        q = self.config.num_attention_heads
        kv = getattr(self.config, "num_key_value_heads", None) or q
        head, stream, neurons = attention.head_dim, self.config.hidden_size, self.config.intermediate_size
        match site.place:
            case "resid_pre":
                return Tap(site, layer, "input", self.space, stream)
            case "attn.q":
                return Tap(site, attention.q_proj, "output", self.space, q * head, q)
            case "attn.k":
                return Tap(site, attention.k_proj, "output", self.space, kv * head, kv)
            case "attn.v":
                return Tap(site, attention.v_proj, "output", self.space, kv * head, kv)
            case "attn.pattern":
                return Tap(site, attention, "pattern", self.space, q, q)
            case "attn.z":
                return Tap(site, _output(attention), "input", self.space, q * head, q)
            case "attn.out":
                return Tap(site, _output(attention), "output", self.space, stream)
            case "resid_mid":
                return Tap(site, _second_norm(layer), "shared input", self.space, stream)
            case "mlp.pre":
                return Tap(site, _before(mlp), "output", self.space, neurons)
            case "mlp.act":
                return Tap(site, _down(mlp), "input", self.space, neurons)
            case "mlp.out":
                return Tap(site, _down(mlp), "output", self.space, stream)
            case "resid_post":
                return Tap(site, layer, "output", self.space, stream)
        raise ValueError(f"{site} belongs to no layer")

    def flops(self, layers: slice, positions: int, keys: int | None = None) -> int:
        """Floating-point operations that these layers' matrix products take for one row of so many positions, each of
        which attends to as many keys (None: to as many as there are positions)."""
        attended = sum(self._attended[layers])
        return 2 * positions * sum(self._weights[layers]) + 4 * positions * (keys or positions) * attended

    @cached_property
    def _weights(self) -> list[int]:
        """How many numbers each layer's linear maps have."""
        linear = [[one for one in layer.modules() if isinstance(one, nn.Linear)] for layer in self.layers]
        return [sum(module.weight.numel() for module in modules) for modules in linear]

    @cached_property
    def _attended(self) -> list[int]:
        """How wide each layer's heads are together."""
        return [self.config.num_attention_heads * layer.self_attn.head_dim for layer in self.layers]

    def output_row(self, address: Address) -> Float[Tensor, "... width"]:
        """A neuron's column of the last linear map [width]; a head's slice of the output projection [head width]."""
        layer = self.layers[address.layer]
        return written_by(address, _down(layer.mlp), _output(layer.self_attn), layer.self_attn.head_dim)


@contextmanager
def shortened(tower: Any, layers: slice, *, normed: bool = True, name: str = "layers") -> Iterator[None]:
    """The tower's own forward pass runs these of its layers (which go by `name`) alone while the context lasts.

    So that masks, positions and all else come from where they always come from. Where it is not `normed`, what leaves
    the last of them is its output, without the final norm.
    """
    before = {name: getattr(tower, name)} | ({} if normed else {"norm": tower.norm})
    setattr(tower, name, before[name][layers])
    if not normed:
        tower.norm = nn.Identity()
    try:
        yield
    finally:
        for own, module in before.items():
            setattr(tower, own, module)


def _output(attention: Any) -> nn.Linear:
    return attention.o_proj if hasattr(attention, "o_proj") else attention.out_proj


def _second_norm(layer: Any) -> nn.Module:
    return layer.post_attention_layernorm if hasattr(layer, "post_attention_layernorm") else layer.layer_norm2


def _before(mlp: Any) -> nn.Linear:
    return mlp.gate_proj if hasattr(mlp, "gate_proj") else mlp.fc1


def _down(mlp: Any) -> nn.Linear:
    return mlp.down_proj if hasattr(mlp, "down_proj") else mlp.fc2
