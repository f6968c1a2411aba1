"""The engine beside TransformerLens' bridge: the same runs, patches, patterns and cut edges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from store.address import parse
from tests.oracles.bridge import Bridged, put
from tests.tools.lively import asked
from tools.engine.engine import Engine
from tools.engine.plan import Intervention, Knockout, Plan, Row, Swap
from tools.methods.paths import path_logits
from tools.methods.shares import shares
from tools.targets.sites import parse_site

STIMULI = asked("what color is the star ?", "what shape is the circle ?")


@pytest.fixture(scope="module")
def bridged(llava_folder: Path) -> Bridged:
    return Bridged(llava_folder)


def inputs(engine: Engine, number: int) -> dict[str, Tensor]:
    return engine.adapter.batch([STIMULI[number]]).inputs


def ours(engine: Engine, row: Row) -> Tensor:
    return engine.run(Plan(STIMULI, [row])).logits[0]


def check(engine: Engine, bridged: Bridged, found: Tensor, expected: Tensor) -> None:
    assert (found - expected).abs().max() < 1e-5
    assert (expected - bridged.logits(inputs(engine, 0))).abs().max() > 1e-3


def test_the_untouched_runs_agree(llava: Engine, bridged: Bridged) -> None:
    found = llava.plain(STIMULI).logits
    for number in range(2):
        assert (found[number] - bridged.logits(inputs(llava, number))).abs().max() < 1e-5


@pytest.mark.parametrize(
    ("site", "index", "positions", "point", "where"),
    [
        pytest.param(
            "language.0.resid_post", None, "visual", "blocks.0.hook_resid_post", (0, slice(1, 5)), id="stream"
        ),
        pytest.param("language.1.attn.z", 2, "all", "blocks.1.attn.hook_z", (0, slice(None), 2), id="head"),
        pytest.param(
            "language.0.mlp.act",
            3,
            tuple(range(5, 11)),
            "blocks.0.mlp.hook_post",
            (0, slice(5, 11), 3),
            id="neuron",
        ),
    ],
)
def test_a_patch_agrees(
    llava: Engine, bridged: Bridged, site: str, index: int | None, positions: Any, point: str, where: Any
) -> None:
    source = bridged.cache(inputs(llava, 1))[point]
    expected = bridged.logits(inputs(llava, 0), {point: put(source, where)})
    write = Intervention(parse_site(site), index, positions, Swap(1))
    check(llava, bridged, ours(llava, Row(0, (write,))), expected)


@pytest.mark.parametrize("layer", [0, 1])
def test_attention_patterns_agree(llava: Engine, bridged: Bridged, layer: int) -> None:
    site = parse_site(f"language.{layer}.attn.pattern")
    found = llava.plain(STIMULI[:1], (site,)).reads[site]
    expected = bridged.cache(inputs(llava, 0))[f"blocks.{layer}.attn.hook_pattern"]
    assert (found - expected).abs().max() < 1e-5


@pytest.mark.parametrize("head", [None, 1])
def test_cut_edges_agree(llava: Engine, bridged: Bridged, head: int | None) -> None:
    """From the last position to the picture, in one layer: TransformerLens' scores are put at −∞."""

    def cut(scores: Tensor, hook: Any) -> Tensor:
        changed = scores.clone()
        changed[0, slice(None) if head is None else head, -1, 1:5] = -torch.inf
        return changed

    expected = bridged.logits(inputs(llava, 0), {"blocks.1.attn.hook_attn_scores": cut})
    check(llava, bridged, ours(llava, Row(0, (), (Knockout(1, head, "answer", "visual"),))), expected)


def test_direct_logit_attribution_agrees(llava: Engine, bridged: Bridged) -> None:
    """Every head and MLP, to every word: TransformerLens' activations and weights, divided by its own norm's scale."""
    found = shares(llava, STIMULI[:1])
    cache, bridge = bridged.cache(inputs(llava, 0)), bridged.bridge
    words = bridge.unembed.original_component.weight * bridge.ln_final.original_component.weight
    expected = [cache["blocks.0.hook_resid_pre"][0, -1]]
    for layer in range(2):
        z = cache[f"blocks.{layer}.attn.hook_z"][0, -1]
        out = bridge.blocks[layer].attn.o.original_component.weight
        expected += [z[head] @ out[:, 6 * head : 6 * head + 6].T for head in range(4)]
        expected.append(cache[f"blocks.{layer}.hook_mlp_out"][0, -1])
    logits = (torch.stack(expected) @ words.T / cache["ln_final.hook_scale"][0, -1]).detach()
    assert (found.logits[:, 0] - logits).abs().max() < 1e-5
    assert logits.abs().max() > 1e-1


@pytest.mark.parametrize("receiver", ["language.1.head.2", "language.1.mlp.7", None])
def test_a_patched_path_agrees(llava: Engine, bridged: Bridged, receiver: str | None) -> None:
    """A head of layer 0 to a component of layer 1, or to the logits, with TransformerLens' hooks in two runs."""
    plain, source = bridged.cache(inputs(llava, 0)), bridged.cache(inputs(llava, 1))
    sent = put(source["blocks.0.attn.hook_z"], (0, slice(None), 1))
    between = ["blocks.0.mlp.hook_post"]
    between += [] if receiver == "language.1.head.2" else ["blocks.1.attn.hook_z"]
    between += ["blocks.1.mlp.hook_post"] if receiver is None else []
    held = {point: put(plain[point], slice(None)) for point in between}
    hooks = {"blocks.0.attn.hook_z": sent, **held}
    if receiver is not None:
        head = "head" in receiver
        point = "blocks.1.attn.hook_z" if head else "blocks.1.mlp.hook_post"
        read: list[Tensor] = []

        def keep(now: Tensor, hook: Any) -> Tensor:
            read.append(now.clone())
            return now

        bridged.logits(inputs(llava, 0), {**hooks, point: keep})
        hooks = {point: put(read[0], (0, slice(None), 2 if head else 7))}
    expected = bridged.logits(inputs(llava, 0), hooks)
    sender = parse("language.0.head.1", llava.adapter.extent())
    to = None if receiver is None else parse(receiver, llava.adapter.extent())
    found = path_logits(llava, STIMULI, [sender], to)[0, 0]
    check(llava, bridged, found, expected)
