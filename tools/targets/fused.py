"""Where sites sit in a layer whose queries, keys and values come from one linear map, and what linear maps write.

Knows no family's names of modules: each family says which of its modules are the parts.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from store.address import Address
from store.errors import UserError
from tools.targets.adapter import Tap
from tools.targets.layout import Layout
from tools.targets.sites import Site

FUSED = ("attn.q", "attn.k", "attn.v")


class Fused(NamedTuple):
    """A layer of a vision tower, and in it the fused map, what shows the pattern (by itself where it is `open`), the
    map behind the heads, the norm before the MLP, and the MLP's first and last map."""

    layer: nn.Module
    qkv: nn.Module
    pattern: nn.Module
    out: nn.Module
    norm: nn.Module
    first: nn.Module
    last: nn.Module
    open: bool = False


def fused_tap(site: Site, parts: Fused, config: Any, heads: int, layout: Layout | None = None) -> Tap:
    """Where a site of the layer sits; `layout` says how its rows lie."""
    stream, neurons = config.hidden_size, config.intermediate_size
    at = partial(Tap, site, space="vision", layout=layout)
    match site.place:
        case "resid_pre":
            return at(module=parts.layer, side="input", width=stream)
        case "attn.q" | "attn.k" | "attn.v":
            begin = FUSED.index(site.place) * stream
            own = replace(layout or Layout(), columns=slice(begin, begin + stream))
            return at(module=parts.qkv, side="output", width=stream, heads=heads, layout=own)
        case "attn.pattern":
            return at(module=parts.pattern, side="pattern", width=heads, heads=heads, open=parts.open)
        case "attn.z":
            return at(module=parts.out, side="input", width=stream, heads=heads)
        case "attn.out":
            return at(module=parts.out, side="output", width=stream)
        case "resid_mid":
            return at(module=parts.norm, side="shared input", width=stream)
        case "mlp.pre":
            return at(module=parts.first, side="output", width=neurons)
        case "mlp.act":
            return at(module=parts.last, side="input", width=neurons)
        case "mlp.out":
            return at(module=parts.last, side="output", width=stream)
        case "resid_post":
            return at(module=parts.layer, side="output", width=stream)
    raise ValueError(f"{site} belongs to no layer")


def written_by(
    address: Address, mlp: nn.Linear, attention: nn.Linear, head: int
) -> Float[Tensor, "... width"]:
    """A neuron's column of the MLP's last map [width]; a head's slice of the map behind the heads, each of which is
    `head` wide [head width].

    Raises UserError for what is neither a neuron nor a head.
    """
    if address.part == "mlp" and address.index is not None:
        return mlp.weight.detach()[:, address.index]
    if address.part == "head" and address.index is not None:
        return attention.weight.detach()[:, address.index * head : (address.index + 1) * head].T
    raise UserError(
        f"`{address}` does not write through one row of weights",
        kind="address",
        hint="name a neuron or a head",
    )
