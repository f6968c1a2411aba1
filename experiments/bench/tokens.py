"""What an MLP of a model reads at every token, and whether a concept holds there: what a probe is made from.

Knows the two places of the LLaVA family where neurons are planted (a gated decoder, a CLIP tower) and which tokens a
wish is about. Knows nothing about how anything is planted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, cast

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from experiments.tableau.concepts import read_concept
from experiments.tableau.recall import recall
from experiments.tableau.render import masks, patches
from store.address import Tower
from tools.engine.plan import Outcome
from tools.stimuli import Stimulus
from tools.targets.batch import Space
from tools.targets.sites import Site
from tools.targets.target import Target

Kind = Literal["wired", "decoy"]


class Wish(NamedTuple):
    """What is to be planted where: a color at visual tokens, or an answer at the answer position."""

    kind: Kind
    tower: Tower
    layer: int
    word: str
    answer: bool = False

    @property
    def concept(self) -> str:
        return f"answer is {self.word}" if self.answer else f"{self.word} thing"

    @property
    def space(self) -> Space:
        return "language" if self.tower == "language" else "vision"

    @property
    def sites(self) -> tuple[Site, Site]:
        """The residual stream that the MLP reads, and its neurons."""
        return Site("resid_mid", self.tower, self.layer), Site("mlp.act", self.tower, self.layer)


class Tokens(NamedTuple):
    """Every real token: what its MLP reads, whether the concept holds there and speaks of such tokens at all, in which
    row it is, and the root mean square of its residual stream. `busy` is each neuron's mean size over all of them."""

    inputs: Float[Tensor, "token width"]
    holds: Bool[Tensor, "token"]
    counted: Bool[Tensor, "token"]
    row: Int[Tensor, "token"]
    stream: Float[Tensor, "token"]
    busy: Float[Tensor, "unit"]

    def seen(self, values: Float[Tensor, "token"], which: Bool[Tensor, "token"]) -> float:
        """Correlation of a row's largest value, at tokens that count, with whether the concept holds in it."""
        rows = [which & self.counted & (self.row == row) for row in self.row[which].unique()]
        pooled = [float(values[row].max()) for row in rows]
        holds = [float(self.holds[row].any()) for row in rows]
        return round(float(np.corrcoef(pooled, holds)[0, 1]), 3)


def layer_of(target: Target, wish: Wish) -> Any:
    """The layer that a wish names."""
    inner = cast(Any, target.model).model
    layers = inner.language_model.layers if wish.tower == "language" else inner.vision_tower.encoder.layers
    return layers[wish.layer]


def tokens_of(target: Target, wish: Wish, stimuli: Sequence[Stimulus], outcome: Outcome) -> Tokens:
    """All tokens of stimuli, from an outcome that has read the sites of the wish."""
    middle, act = wish.sites
    layer = layer_of(target, wish)
    norm = layer.post_attention_layernorm if wish.tower == "language" else layer.layer_norm2
    counted = outcome.batch.where(wish.space, "answer" if wish.answer else "visual")
    real = outcome.batch.where(wish.space, "all").expand_as(counted)
    stream = outcome.reads[middle].float()[real]
    with torch.no_grad():
        inputs = norm(stream)
    holds = torch.zeros_like(counted)
    holds[counted] = _labels(wish, stimuli)
    rows = torch.arange(len(stimuli))[:, None].expand_as(real)
    return Tokens(
        inputs,
        holds[real],
        counted[real],
        rows[real],
        stream.square().mean(1).sqrt(),
        outcome.reads[act].float()[real].abs().mean(0),
    )


def _labels(wish: Wish, stimuli: Sequence[Stimulus]) -> Bool[Tensor, "token"]:
    """Whether the concept holds at each of the tokens that it is about, row by row."""
    if wish.answer:
        return torch.tensor([stimulus.answer == wish.word for stimulus in stimuli])
    concept = read_concept(wish.concept)
    found = []
    for stimulus in stimuli:
        scene = recall(stimulus.key).scene
        meant = np.array([concept.matches(thing) for thing in scene.things], dtype=np.bool_)
        found.append(torch.from_numpy(patches(np.any(masks(scene)[meant], axis=0))))
    return torch.cat(found)
