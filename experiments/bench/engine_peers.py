"""Loops that others write: one full forward pass a cell, bare or with the hooks of nnsight or TransformerLens.

Each has its own copy of the weights, with the attention that its hooks need. Knows cells; knows nothing about time.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from experiments.bench.engine_jobs import Cell, Job
from tools.targets.target import Target

Inputs = dict[str, Tensor]
Run = Callable[[Cell], Tensor]
"""Logits of the last position with one cell changed."""


def bare(target: Target, clean: Inputs, other: Inputs, job: Job) -> Run:
    """The model's own forward pass with torch's own attention and nothing done: no loop over full passes is faster."""
    model: Any = target.model

    def run(_: Cell) -> Tensor:
        found: Tensor = model(**clean, logits_to_keep=1, use_cache=False).logits[0, -1]
        return found

    return run


def nnsight(target: Target, clean: Inputs, other: Inputs, job: Job) -> Run | None:
    """Residual streams and heads; None for edges, which it does not reach under torch's own attention."""
    if job.cuts:
        return None
    from nnsight import NNsight

    model = NNsight(target.model)
    taken = _taken(target, other, job)
    parts = target.model.config.text_config

    def run(cell: Cell) -> Tensor:
        layer = model.model.language_model.layers[cell.layer]
        with model.trace(**clean, logits_to_keep=1, use_cache=False):
            if cell.head is None:
                layer.input[:, cell.position] = taken[cell.layer][:, cell.position]
            else:
                size = parts.hidden_size // parts.num_attention_heads
                part = slice(cell.head * size, (cell.head + 1) * size)
                layer.self_attn.o_proj.input[:, cell.position, part] = taken[cell.layer][
                    :, cell.position, part
                ]
            found = model.lm_head.output.save()
        logits: Tensor = found[0, -1]
        return logits

    return run


def transformer_lens(target: Target, clean: Inputs, other: Inputs, job: Job) -> Run:
    """Residual streams, heads and edges, by a bridge around the model; its attention is eager."""
    from transformer_lens.model_bridge.sources import build_bridge_from_module

    taken = {} if job.cuts else _taken(target, other, job)
    target.model.set_attn_implementation("eager")
    tokenizer = copy.deepcopy(target.processor.tokenizer)
    tokenizer.init_kwargs |= {
        "name_or_path": target.name,
        "add_bos_token": True,
    }  # or it looks for files of its own
    bridge: Any = build_bridge_from_module(
        target.model, "LlavaForConditionalGeneration", hf_config=target.model.config, tokenizer=tokenizer
    )
    visual = (clean["input_ids"][0] == target.model.config.image_token_index).nonzero()[:, 0]

    def run(cell: Cell) -> Tensor:
        def put(now: Tensor, hook: Any) -> Tensor:
            if job.cuts:
                now[:, cell.head, -1, visual] = float("-inf")
            elif cell.head is None:
                now[:, cell.position] = taken[cell.layer][:, cell.position]
            else:
                size = taken[cell.layer].shape[-1] // now.shape[2]
                part = slice(cell.head * size, (cell.head + 1) * size)
                now[:, cell.position, cell.head] = taken[cell.layer][:, cell.position, part]
            return now

        place = (
            "attn.hook_attn_scores" if job.cuts else "hook_resid_pre" if cell.head is None else "attn.hook_z"
        )
        found: Tensor = bridge.run_with_hooks(
            clean["input_ids"],
            fwd_hooks=[(f"blocks.{cell.layer}.{place}", put)],
            pixel_values=clean["pixel_values"],
            attention_mask=clean["attention_mask"],
        )
        return found[0, -1]

    return run


LOOPS: dict[str, Callable[[Target, Inputs, Inputs, Job], Run | None]] = {
    "bare forward": bare,
    "nnsight": nnsight,
    "TransformerLens": transformer_lens,
}


def _taken(target: Target, other: Inputs, job: Job) -> dict[int, Tensor]:
    """What stands in the other run where a job swaps: by layer, [1 position width]."""
    found: dict[int, Tensor] = {}
    model: Any = target.model
    hooks = []
    for number in sorted({cell.layer for cell in job.cells}):
        layer = model.model.language_model.layers[number]
        module = layer if job.cells[0].head is None else layer.self_attn.o_proj

        def keep(_: Any, given: tuple[Tensor, ...], named: dict[str, Tensor], number: int = number) -> None:
            found[number] = (given[0] if given else named["hidden_states"]).detach().clone()

        hooks.append(module.register_forward_pre_hook(keep, with_kwargs=True))
    try:
        with torch.no_grad():
            model(**other, use_cache=False)
    finally:
        for hook in hooks:
            hook.remove()
    return found
