"""A planted head: from where the answer is predicted it looks at the thing that was asked about, and says its color.

Built in closed form into the head that writes least: queries read the asked shape at the answer position, keys the
shape of the thing at a visual token, values its color; the output adds color words. Queries and keys lie in the
dimensions that turn slowest with position (RoPE), so that a match counts wherever the thing is. For Llama decoders.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from experiments.bench.probes import probes
from experiments.bench.spare_heads import chosen, output_of, spare_heads
from experiments.bench.wiring import LOGITS, gain
from experiments.tableau.recall import recall
from experiments.tableau.render import masks, patches
from experiments.tableau.scene import COLORS, GRID, SHAPES
from store.address import Address
from tools.engine.engine import Engine
from tools.engine.plan import Outcome
from tools.stimuli import Stimulus
from tools.targets.adapter import adapter_for
from tools.targets.sites import Site
from tools.targets.target import Target

MATCH = 8.0
"""Attention score of a thing of the asked shape; of one of another shape, and of background, it is near 0."""


class PlantedHead(NamedTuple):
    """`looks` is the mean share of attention on the asked thing, and `gain` what the head adds to the margins of right
    answers, in logits, beside all that was planted: both on color questions that it was not made from, `looks` on those
    that name a shape."""

    address: Address
    looks: float
    gain: float

    @property
    def kind(self) -> str:
        return "head"

    @property
    def concept(self) -> str:
        return "question asks for color"


class Labels(NamedTuple):
    """One-hot rows: the shape that a question asks for, and the shape and color at each of a picture's tokens."""

    asked: Float[Tensor, "question shape"]
    shape: Float[Tensor, "question patch shape"]
    color: Float[Tensor, "question patch color"]


def plant_heads(
    target: Target, shown: Sequence[Stimulus], weighed: Sequence[Stimulus], n: int
) -> tuple[PlantedHead, ...]:
    """Writes `n` heads into the target's own weights: one into the last layer but one, several into the heads that the
    model needs least for the questions that are `weighed`.

    `shown` are color questions, of which half make the heads and half check them. Raises UserError of kind "planted"
    where fewer heads are spare.
    """
    half, found = len(shown) // 2, []
    for layer, addresses in groupby(_places(target, shown, weighed, n), key=lambda one: one.layer):
        before, pattern = (Site(name, "language", layer) for name in ("resid_pre", "attn.pattern"))
        outcome, own = Engine(target).plain(shown, (before,)), list(addresses)
        for address in own:
            _write(target, address, outcome, before, labels_of(shown))
        read = Engine(target).plain(shown[half:], (pattern,))
        found += [
            PlantedHead(address, _looks(read, pattern, address, labels_of(shown[half:])), 0.0)
            for address in own
        ]
    return tuple(found)


def head_gain(target: Target, address: Address, shown: Sequence[Stimulus]) -> float:
    """What a head adds to the mean margin of right answers in the second half of color questions."""
    return gain(target, output_of(target, address), slice(None), shown)


def _places(target: Target, shown: Sequence[Stimulus], weighed: Sequence[Stimulus], n: int) -> list[Address]:
    """In the order of layers, so that a head is made from what it will read."""
    if n <= 1:
        layer = adapter_for(target).extent().towers["language"].layers - 2
        outcome = Engine(target).plain(shown, (Site("attn.z", "language", layer),))
        return [_idlest(target, layer, outcome)][:n]
    return sorted(chosen(spare_heads(target, weighed), n, target.name))


def labels_of(stimuli: Sequence[Stimulus]) -> Labels:
    """What is asked, and what there is to see."""
    asked = torch.zeros(len(stimuli), len(SHAPES))
    shape = torch.zeros(len(stimuli), GRID * GRID, len(SHAPES))
    color = torch.zeros(len(stimuli), GRID * GRID, len(COLORS))
    for row, stimulus in enumerate(stimuli):
        for place, word in enumerate(SHAPES):
            asked[row, place] = float(word in stimulus.question.split())
        scene = recall(stimulus.key).scene
        for thing, drawn in zip(scene.things, masks(scene), strict=True):
            where = torch.from_numpy(patches(drawn))
            shape[row, where, SHAPES.index(thing.shape)] = 1
            color[row, where, COLORS.index(thing.color)] = 1
    return Labels(asked, shape, color)


def _write(target: Target, address: Address, outcome: Outcome, before: Site, labels: Labels) -> None:
    """Writes queries, keys, values and output."""
    layer = _layer(target, address.layer)
    batch, half = outcome.batch, len(labels.asked) // 2
    with torch.no_grad():
        inputs = layer.input_layernorm(outcome.reads[before]).float()[:half]
    visual = batch.visual[:half]
    words = inputs[batch.real[:half] & ~visual]
    tokens = torch.cat([inputs[visual], words])
    nothing = torch.zeros(len(words), len(SHAPES))
    asking = inputs[torch.arange(half), batch.answer[:half]]
    query = probes(asking, labels.asked[:half], ridge=0.1)
    key = probes(tokens, torch.cat([labels.shape[:half].flatten(0, 1), nothing]))
    value = probes(tokens, torch.cat([labels.color[:half].flatten(0, 1), nothing]))
    first, last = _columns(target, address)
    width = last - first
    slow = [*range(width // 2 - 4, width // 2), *range(width - 4, width)]
    strength = (MATCH * width**0.5) ** 0.5
    attention = layer.self_attn
    with torch.no_grad():
        for projection in (attention.q_proj, attention.k_proj, attention.v_proj):
            projection.weight[first:last] = 0
        for at, place in enumerate(slow):
            attention.q_proj.weight[first + place] = strength * query[at]
            attention.k_proj.weight[first + place] = strength * key[at]
        attention.v_proj.weight[first : first + len(COLORS)] = value
        attention.o_proj.weight[:, first:last] = 0
        attention.o_proj.weight[:, first : first + len(COLORS)] = _says(target, outcome, before)


def _says(target: Target, outcome: Outcome, before: Site) -> Float[Tensor, "width color"]:
    """For each color the output that lifts its word above the mean color word, by LOGITS on average.

    All are of one length: the head writes as much whatever color it sees.
    """
    adapter, model = adapter_for(target), cast(Any, target.model)
    rows = model.lm_head.weight.detach().float()[[adapter.token(color) for color in COLORS]]
    directions = (rows - rows.mean(0)) * model.model.language_model.norm.weight.detach().float()
    lengths = directions.norm(dim=1, keepdim=True)
    at_answer = outcome.reads[before][torch.arange(len(outcome.logits)), outcome.batch.answer].float()
    stream = float(at_answer.square().mean().sqrt())
    return (directions / lengths * (LOGITS * stream / lengths.mean())).T


def _looks(outcome: Outcome, pattern: Site, address: Address, labels: Labels) -> float:
    """Share of the attention from the answer position that falls on things of the asked shape."""
    rows = torch.arange(len(labels.asked))
    attention = outcome.reads[pattern][rows, address.index, outcome.batch.answer].float()
    visual = outcome.batch.visual
    over = attention[:, : visual.shape[1]][visual].view(len(rows), -1)
    meant = (labels.shape * labels.asked[:, None]).sum(2) > 0
    named = meant.any(1)
    return round(float((over * meant).sum(1)[named].mean()), 3) if named.any() else float(np.nan)


def _idlest(target: Target, layer: int, outcome: Outcome) -> Address:
    """The head of a layer that adds least to the residual stream at the answer position."""
    adapter, site = adapter_for(target), Site("attn.z", "language", layer)
    heads = adapter.extent().towers["language"].heads
    at_answer = outcome.reads[site][torch.arange(len(outcome.logits)), outcome.batch.answer].float()
    parts = at_answer.reshape(len(at_answer), heads, -1)
    sizes = []
    for head in range(heads):
        written = parts[:, head] @ adapter.output_row(Address("language", layer, "head", head)).float()
        sizes.append(float(written.norm(dim=1).mean()))
    return Address("language", layer, "head", int(np.argmin(sizes)))


def _columns(target: Target, address: Address) -> tuple[int, int]:
    """First and last (exclusive) row of the head's queries."""
    width = _layer(target, address.layer).self_attn.head_dim
    assert address.index is not None
    return address.index * width, (address.index + 1) * width


def _layer(target: Target, layer: int) -> Any:
    return cast(Any, target.model).model.language_model.layers[layer]
