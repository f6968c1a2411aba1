"""A head whose truth is known: it looks at its own token alone, and says the color that it finds there.

Queries and keys are one projection, so that no other token matches as well as the token itself (Cauchy–Schwarz; RoPE
turns nothing at distance 0); values are a ridge regression of the right color on what stands at the answer position
before the last layer; the output adds the color's word. For Llama decoders of the embedded world.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, cast

import torch

from experiments.tableau.scene import COLORS
from experiments.tableau.source import TableauSource
from store.address import Address
from tools.engine.engine import Engine
from tools.targets.adapter import adapter_for
from tools.targets.sites import Site
from tools.targets.target import Target

SHARP, LOUD, RIDGE = 4.0, 2.0, 1.0


def with_color_head(target: Target) -> tuple[Target, Address]:
    """A copy of the target, and where the head is: the first of the last layer."""
    model = deepcopy(target.model)
    copy = Target(target.name, target.family, model, target.processor)
    adapter = adapter_for(copy)
    address = Address("language", adapter.extent().towers["language"].layers - 1, "head", 0)
    layer = cast(Any, model).model.language_model.layers[address.layer]
    attention, width = layer.self_attn, layer.self_attn.head_dim
    stimuli = TableauSource("train").ask("color", 320, 5001)
    before = Site("resid_pre", "language", address.layer)
    outcome = Engine(copy).plain(stimuli, (before,))
    with torch.no_grad():
        stream = outcome.reads[before][torch.arange(len(stimuli)), outcome.batch.answer]
        inputs = layer.input_layernorm(stream)
        said = torch.tensor([[one.answer == color for color in COLORS] for one in stimuli]).float()
        said -= said.mean(dim=0)
        size = inputs.shape[1]
        probe = torch.linalg.solve(inputs.T @ inputs + RIDGE * torch.eye(size), inputs.T @ said)
        words = cast(Any, model).lm_head.weight[[adapter.token(color) for color in COLORS]]
        words = (words - words.mean(dim=0)) * cast(Any, model).model.language_model.norm.weight
        words = LOUD * stream.norm(dim=1).mean() * words / words.norm(dim=1, keepdim=True)
        match = torch.linalg.qr(torch.randn(size, width, generator=torch.Generator().manual_seed(0)))[0].T
        attention.q_proj.weight[:width] = attention.k_proj.weight[:width] = SHARP * match
        attention.v_proj.weight[:width] = 0
        attention.v_proj.weight[: len(COLORS)] = probe.T
        attention.o_proj.weight[:, :width] = 0
        attention.o_proj.weight[:, : len(COLORS)] = words.T
    return copy, address
