"""Where sites sit inside BLIP's layers, by the modules' names in transformers.

Layers of words norm what they write (as BERT's do), so that a residual stream is always normed; the vision tower's norm
what they read. Every pattern passes a dropout, which shows it. Knows nothing about how towers are joined (blip.py).
"""

from __future__ import annotations

from functools import partial
from typing import Any

from store.address import Tower
from tools.targets.adapter import Tap
from tools.targets.batch import Space
from tools.targets.fused import Fused, fused_tap
from tools.targets.sites import Site

SPACES: dict[Tower, tuple[Space, Space]] = {
    "vision": ("vision", "vision"),
    "question": ("language", "language"),
    "cross": ("language", "vision"),
    "recall": ("answer", "language"),
    "language": ("answer", "answer"),
}
"""Where each tower's attention looks from, and what it looks at."""


def vision_tap(site: Site, layer: Any, config: Any) -> Tap:
    """Where a site of a layer of the vision tower sits."""
    attention, mlp = layer.self_attn, layer.mlp
    parts = Fused(
        layer,
        attention.qkv,
        attention.dropout,
        attention.projection,
        layer.layer_norm2,
        mlp.fc1,
        mlp.fc2,
        open=True,
    )
    return fused_tap(site, parts, config, config.num_attention_heads)


def text_tap(site: Site, layer: Any, config: Any) -> Tap:
    """Where a site of a layer of the question's encoder or the answer's decoder sits, or of its cross-attention.

    `resid_mid` is what both the MLP and its sum read: the stream after the cross-attention.
    """
    assert site.tower is not None
    heads, stream, neurons = config.num_attention_heads, config.hidden_size, config.intermediate_size
    here, there = SPACES[site.tower]
    attention = attention_of(layer, site.tower)
    at = partial(Tap, site, space=here)
    match site.place:
        case "resid_pre":
            return at(module=layer, side="input", width=stream)
        case "attn.q":
            return at(module=attention.self.query, side="output", width=stream, heads=heads)
        case "attn.k":
            return Tap(site, attention.self.key, "output", there, stream, heads)
        case "attn.v":
            return Tap(site, attention.self.value, "output", there, stream, heads)
        case "attn.pattern":
            shown = attention.self.dropout
            return at(module=shown, side="pattern", width=heads, heads=heads, keys=there, open=True)
        case "attn.z":
            return at(module=attention.output.dense, side="input", width=stream, heads=heads)
        case "attn.out":
            return at(module=attention.output.dense, side="output", width=stream)
        case "resid_mid":
            return at(module=layer.crossattention.output, side="output", width=stream)
        case "mlp.pre":
            return at(module=layer.intermediate.dense, side="output", width=neurons)
        case "mlp.act":
            return at(module=layer.output.dense, side="input", width=neurons)
        case "mlp.out":
            return at(module=layer.output.dense, side="output", width=stream)
        case "resid_post":
            return at(module=layer, side="output", width=stream)
    raise ValueError(f"{site} belongs to no layer")


def attention_of(layer: Any, tower: Tower) -> Any:
    """The attention of a layer that belongs to a tower: its own, or the cross-attention."""
    return layer.crossattention if tower in ("cross", "recall") else layer.attention
