"""Planted neurons: concepts written into unused MLP units of a copy of the model, with and without a way to answers.

Input weights come from a probe at the tokens that the concept is about. Of the wired units one helps with an answer and
one misleads; a decoy's output is zero, so that it fires and does nothing. Works on the LLaVA family with a gated
decoder and a CLIP tower. Knows surgery; probes.py finds the input, wiring.py the output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, cast

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from experiments.bench.probes import probe
from experiments.bench.wiring import gain, misleading, toward
from experiments.tableau.concepts import read_concept
from experiments.tableau.questions import ANSWERS as OPTIONS
from experiments.tableau.recall import recall
from experiments.tableau.render import Mask, masks, patches
from experiments.tableau.scene import COLORS
from experiments.tableau.source import ASKED, TableauSource
from store.address import Address, Tower
from tools.engine.engine import Engine
from tools.engine.plan import Outcome
from tools.stimuli import Stimulus
from tools.targets.adapter import adapter_for
from tools.targets.batch import Batch, Space
from tools.targets.sites import Site
from tools.targets.target import Target

PER_KIND, YES_OR_NO = 12, 72
"""Questions from which probes and wiring are made: of each kind, and of each kind that is answered with yes or no."""
FIRST_SEED = 5000
"""Seeds of those questions begin here; a run's own lie below 1000."""
PEAK = 3.0
"""Mean activation on tokens where the concept holds."""
STEEP = 6.0
"""Input of the gate there: SiLU is nearly linear that far out, and nearly closed at a fifth of it."""
ANSWERS = ("yes", "no")
"""Answers that a unit can be wired to: those of many questions."""

Kind = Literal["wired", "decoy"]
Say = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Planted:
    """A planted neuron. `seen` is the correlation of its pooled activation with its concept on pictures or questions
    that the probe was not made from; `gain` what its output adds to right answers' margins there, in logits: above 0
    where it helps, below 0 where it misleads, 0 of a decoy."""

    address: Address
    kind: Kind
    concept: str
    seen: float
    gain: float


@dataclass(frozen=True)
class Host:
    """A copy of a model, and what was planted in it."""

    model: PreTrainedModel
    neurons: tuple[Planted, ...]


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
    row it is, and the root mean square of its residual stream."""

    inputs: Float[Tensor, "token width"]
    holds: Bool[Tensor, "token"]
    counted: Bool[Tensor, "token"]
    row: Int[Tensor, "token"]
    stream: Float[Tensor, "token"]


def plant(target: Target, seed: int, progress: Say = lambda *_: None) -> Host:
    """A copy of the target with two wired neurons and two decoys."""
    model = deepcopy(target.model)
    copy = Target(target.name, target.family, model, target.processor)
    stimuli = questions(seed)
    wishes = drawn(copy, seed)
    progress("planting neurons", 0, len(wishes))
    outcome = Engine(copy).plain(stimuli, tuple(site for wish in wishes for site in wish.sites))
    neurons: list[Planted] = []
    for place, wish in enumerate(wishes):
        neurons.append(_plant(copy, wish, stimuli, outcome, {one.address for one in neurons}))
        progress("planting neurons", place + 1, len(wishes))
    return Host(model, tuple(neurons))


def drawn(target: Target, seed: int) -> list[Wish]:
    """Two wired and two unwired wishes: colors at visual tokens, and one answer."""
    chance = np.random.default_rng([seed, 815])
    colors = chance.permutation(np.array(COLORS)).tolist()
    last = adapter_for(target).extent().towers["language"].layers - 1
    first, second = (int(layer) for layer in chance.permutation(np.arange(1, last))[:2])
    return [
        Wish("wired", "language", first, colors[0]),
        Wish("wired", "language", last, str(chance.choice(ANSWERS)), answer=True),
        Wish("decoy", "language", second, colors[1]),
        Wish("decoy", "vision", int(chance.integers(1, 3)), colors[2]),
    ]


def questions(seed: int) -> list[Stimulus]:
    """Questions of all kinds before fresh scenes, shuffled."""
    source = TableauSource("train")
    asked: list[Stimulus] = []
    for kind in ASKED:
        n = YES_OR_NO if set(OPTIONS[kind]) == set(ANSWERS) else PER_KIND
        asked += source.ask(kind, n, FIRST_SEED + seed)
    order = np.random.default_rng(seed).permutation(len(asked))
    return [asked[i] for i in order]


def _plant(
    target: Target, wish: Wish, stimuli: Sequence[Stimulus], outcome: Outcome, taken: set[Address]
) -> Planted:
    tokens, act = _tokens(target, wish, stimuli, outcome)
    mlp = _layer(target, wish).mlp
    unit = _idlest(_output(mlp), act, wish, taken)
    fit = tokens.row < len(stimuli) // 2
    gated = hasattr(mlp, "gate_proj")
    wide = tokens.inputs if gated else F.pad(tokens.inputs, (0, 1), value=1.0)
    weights = probe(wide[fit], tokens.holds[fit], tokens.counted[fit])
    scores = wide @ weights
    height = float(scores[fit & tokens.holds].mean())
    with torch.no_grad():
        if gated:
            steep = weights * (STEEP / height)
            values = F.silu(wide @ steep) * scores
            factor = PEAK / float(values[fit & tokens.holds].mean())
            mlp.gate_proj.weight[unit], mlp.up_proj.weight[unit] = steep, weights * factor
            values = values * factor
        else:
            # GELU opens above half of the height that the probe gives.
            steep = weights * (PEAK / height * 2)
            steep[-1] -= PEAK
            mlp.fc1.weight[unit], mlp.fc1.bias[unit] = steep[:-1], steep[-1]
            values = F.gelu(wide @ steep)
        _output(mlp)[:, unit] = 0
    address = Address(wish.tower, wish.layer, "mlp", unit)
    added = _wire(target, wish, unit, stimuli, tokens) if wish.kind == "wired" else 0.0
    return Planted(address, wish.kind, wish.concept, _seen(tokens, values, ~fit), added)


def _wire(target: Target, wish: Wish, unit: int, stimuli: Sequence[Stimulus], tokens: Tokens) -> float:
    """Gives the unit an output, and returns what that adds to right answers' margins."""
    output = _output(_layer(target, wish).mlp)
    stream = float(tokens.stream[tokens.counted].mean())
    if wish.answer:
        column = toward(target, wish.word, ANSWERS, PEAK, stream)
    else:
        column = misleading(target, output, unit, stimuli, PEAK, stream)
    with torch.no_grad():
        output[:, unit] = column
    return gain(target, output, unit, stimuli)


def _tokens(
    target: Target, wish: Wish, stimuli: Sequence[Stimulus], outcome: Outcome
) -> tuple[Tokens, Float[Tensor, "unit"]]:
    """What the MLP reads at every real token, with labels; and how much each of its neurons is active on average."""
    middle, act = wish.sites
    layer = _layer(target, wish)
    norm = layer.post_attention_layernorm if wish.tower == "language" else layer.layer_norm2
    counted = _counted(outcome.batch, wish)
    real = outcome.batch.where(wish.space, "all").expand_as(counted)
    stream = outcome.reads[middle].float()[real]
    with torch.no_grad():
        inputs = norm(stream)
    holds = torch.zeros_like(counted)
    holds[counted] = _labels(wish, stimuli)
    rows = torch.arange(len(stimuli))[:, None].expand_as(real)
    size = outcome.reads[act].float()[real].abs().mean(0)
    rms = stream.square().mean(1).sqrt()
    return Tokens(inputs, holds[real], counted[real], rows[real], rms), size


def _counted(batch: Batch, wish: Wish) -> Bool[Tensor, "row position"]:
    """The positions that the concept is about."""
    return batch.where(wish.space, "answer" if wish.answer else "visual")


def _labels(wish: Wish, stimuli: Sequence[Stimulus]) -> Bool[Tensor, "token"]:
    """Whether the concept holds at each of those positions, row by row."""
    if wish.answer:
        return torch.tensor([stimulus.answer == wish.word for stimulus in stimuli])
    concept = read_concept(wish.concept)
    found = []
    for stimulus in stimuli:
        scene = recall(stimulus.key).scene
        meant = np.array([concept.matches(thing) for thing in scene.things], dtype=np.bool_)
        shown: Mask = (masks(scene) & meant[:, None, None]).any(axis=0)
        found.append(torch.from_numpy(patches(shown)))
    return torch.cat(found)


def _seen(tokens: Tokens, values: Float[Tensor, "token"], which: Bool[Tensor, "token"]) -> float:
    """Correlation of a row's largest activation with whether the concept holds in it."""
    rows = [which & tokens.counted & (tokens.row == row) for row in tokens.row[which].unique()]
    pooled = [float(values[row].max()) for row in rows]
    holds = [float(tokens.holds[row].any()) for row in rows]
    return round(float(np.corrcoef(pooled, holds)[0, 1]), 3)


def _idlest(
    output: Float[Tensor, "width unit"], act: Float[Tensor, "unit"], wish: Wish, taken: set[Address]
) -> int:
    """The unit that writes least: mean size of its activation times the length of its output."""
    written = act * output.detach().norm(dim=0)
    order = written.argsort().tolist()
    return next(unit for unit in order if Address(wish.tower, wish.layer, "mlp", unit) not in taken)


def _layer(target: Target, wish: Wish) -> Any:
    inner = cast(Any, target.model).model
    layers = inner.language_model.layers if wish.tower == "language" else inner.vision_tower.encoder.layers
    return layers[wish.layer]


def _output(mlp: Any) -> Tensor:
    """The weights of the last linear map: a column for each neuron."""
    return cast(Tensor, (mlp.down_proj if hasattr(mlp, "down_proj") else mlp.fc2).weight)
