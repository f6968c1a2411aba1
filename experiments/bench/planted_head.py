"""A planted head: where a color is asked for it looks from the answer position at the thing that was asked about, and
says its color; elsewhere it rests on the first token, of which it says nothing.

Built in closed form into the head that writes least. Queries read the asked shape, and whether a color is asked for;
keys the shape of the thing at a visual token, and whether a token is a word (which may name the shape) or the first;
values read colors, and the output adds color words. Queries and keys lie in the dimensions that turn slowest with
position (RoPE), so that a match counts wherever the thing is. For Llama decoders.
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
from experiments.bench.spare_heads import chosen, spare_heads
from experiments.bench.wiring import LOGITS
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

MATCH = 16.0
"""Attention score of a thing of the asked shape; of one of another shape, and of background, it is near 0."""
REST, WOKEN = 2.0, 1.7
"""Score of the first token in shares of MATCH, and by how much it falls where a color is asked for: it lies above every
thing, or below the one that is meant."""
DRAWN = 8
"""Other tokens of either sort from which queries learn to rest, for each question."""
WORDS = -1.0
"""Score of the question's words, likewise: the word "star" stands for the shape as much as a star does."""


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
    """Whether a color is asked for, and of which shape (one-hot, of color questions only); the shape and the color at
    each of a picture's tokens."""

    color_asked: Float[Tensor, "question 1"]
    asked: Float[Tensor, "question shape"]
    shape: Float[Tensor, "question patch shape"]
    color: Float[Tensor, "question patch color"]

    def upto(self, n: int) -> Labels:
        """Those of the first `n` questions."""
        return Labels(*(part[:n] for part in self))


class Read(NamedTuple):
    """What queries, keys and values of a head are made of: a row of weights for each dimension."""

    query: Float[Tensor, "dimension width"]
    key: Float[Tensor, "dimension width"]
    value: Float[Tensor, "color width"]


def plant_heads(
    target: Target, colors: Sequence[Stimulus], weighed: Sequence[Stimulus], n: int
) -> tuple[PlantedHead, ...]:
    """Writes `n` heads into the target's own weights: one into the last layer but one, several into the heads that the
    model needs least for the questions that are `weighed`.

    Half of the color questions make the heads, together with all other questions that are weighed, and half check them.
    Raises UserError of kind "planted" where fewer heads are spare.
    """
    made_from = [*colors[: len(colors) // 2], *(one for one in weighed if one.kind != "color")]
    checked, found = colors[len(colors) // 2 :], []
    for layer, addresses in groupby(_places(target, made_from, weighed, n), key=lambda one: one.layer):
        before, pattern = (Site(name, "language", layer) for name in ("resid_pre", "attn.pattern"))
        outcome, own = Engine(target).plain(made_from, (before,)), list(addresses)
        read = _read(target, layer, outcome, before, labels_of(made_from))
        for address in own:
            _write(target, address, read, _says(target, outcome, before))
        seen = Engine(target).plain(checked, (pattern,))
        found += [
            PlantedHead(address, _looks(seen, pattern, address, labels_of(checked)), 0.0) for address in own
        ]
    return tuple(found)


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
    color_asked = torch.tensor([[float(stimulus.kind == "color")] for stimulus in stimuli])
    for row, stimulus in enumerate(stimuli):
        for place, word in enumerate(SHAPES):
            asked[row, place] = float(stimulus.kind == "color" and word in stimulus.question.split())
        scene = recall(stimulus.key).scene
        for thing, drawn in zip(scene.things, masks(scene), strict=True):
            where = torch.from_numpy(patches(drawn))
            shape[row, where, SHAPES.index(thing.shape)] = 1
            color[row, where, COLORS.index(thing.color)] = 1
    return Labels(color_asked, asked, shape, color)


def _read(target: Target, layer: int, outcome: Outcome, before: Site, labels: Labels) -> Read:
    """Dimensions for resting and for words, and one for each shape; keys are 1 on average where they should be."""
    batch, rows = outcome.batch, torch.arange(len(labels.asked))
    with torch.no_grad():
        inputs = _layer(target, layer).input_layernorm(outcome.reads[before]).float()
    asking, words, seen = inputs[rows, batch.answer], *_elsewhere(outcome, inputs)
    looked_from = torch.cat([asking, words, seen])
    groups = torch.eye(3).repeat_interleave(torch.tensor([len(asking), len(words), len(seen)]), dim=0)
    wanted = torch.zeros(len(looked_from), 1 + len(SHAPES))
    wanted[: len(asking)] = torch.cat([labels.color_asked, labels.asked], 1)
    woken, *shapes = probes(looked_from, torch.cat([wanted, groups[:, 1:]], 1))[:-2]
    always = probes(looked_from, groups).sum(0)
    tokens = inputs[batch.real]
    shape, color = (_marked(outcome, there) for there in (labels.shape, labels.color))
    asked = _leveled(torch.stack(shapes), looked_from, wanted[:, 1:])
    return Read(
        query=torch.cat([(REST * always - WOKEN * woken)[None], WORDS * always[None], asked]),
        key=_leveled(probes(tokens, shape), tokens, shape),
        value=probes(tokens, color)[2:],
    )


def _marked(outcome: Outcome, seen: Float[Tensor, "row patch class"]) -> Float[Tensor, "token mark"]:
    """Of every real token: whether it is the first, whether it is a later word, and what there is to see."""
    batch, rows = outcome.batch, torch.arange(len(seen))
    marks = torch.zeros(*batch.real.shape, 2 + seen.shape[2])
    marks[..., 1] = (batch.real & ~batch.visual).float()
    marks[rows, batch.first, 0], marks[rows, batch.first, 1] = 1, 0
    marks[..., 2:][batch.visual] = seen.flatten(0, 1)
    return marks[batch.real]


def _elsewhere(
    outcome: Outcome, inputs: Float[Tensor, "row position width"]
) -> list[Float[Tensor, "token width"]]:
    """Where the head shall rest: words that predict no answer, and tokens of pictures, DRAWN for each question."""
    batch, chance = outcome.batch, torch.Generator().manual_seed(0)
    words = batch.real & ~batch.visual
    words[torch.arange(len(words)), batch.answer] = False
    return [
        tokens[torch.randperm(len(tokens), generator=chance)[: DRAWN * len(words)]]
        for tokens in (inputs[words], inputs[batch.visual])
    ]


def _leveled(
    read: Float[Tensor, "class width"],
    features: Float[Tensor, "token width"],
    labels: Float[Tensor, "token class"],
) -> Float[Tensor, "class width"]:
    """Probes brought to 1 on average where they should be: a penalty has pulled them down."""
    holds = labels > 0
    return read / (features @ read.T)[holds].mean() if holds.any() else read


def _write(target: Target, address: Address, read: Read, says: Float[Tensor, "width color"]) -> None:
    """Writes queries, keys, values and output."""
    attention = _layer(target, address.layer).self_attn
    width = attention.head_dim
    assert address.index is not None
    first = address.index * width
    slow = [place for pair in range(width // 2 - 1, -1, -1) for place in (pair, pair + width // 2)]
    strength = (MATCH * width**0.5) ** 0.5
    with torch.no_grad():
        for projection in (attention.q_proj, attention.k_proj, attention.v_proj):
            projection.weight[first : first + width] = 0
        for place, query, key in zip(slow, read.query, read.key, strict=False):
            attention.q_proj.weight[first + place] = strength * query
            attention.k_proj.weight[first + place] = strength * key
        attention.v_proj.weight[first : first + len(COLORS)] = read.value
        attention.o_proj.weight[:, first : first + width] = 0
        attention.o_proj.weight[:, first : first + len(COLORS)] = says


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


def _layer(target: Target, layer: int) -> Any:
    return cast(Any, target.model).model.language_model.layers[layer]
