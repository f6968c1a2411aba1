"""Planted neurons: concepts written into unused MLP units of a copy of the model, with and without a way to answers.

Input weights come from a probe at the tokens that the concept is about. Of the wired units some help with an answer and
some mislead; a decoy's output is zero, so that it fires and does nothing. Knows how neurons are planted; wishes.py says
which, probes.py finds their input, wiring.py their output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, NamedTuple, cast

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor
from transformers import PreTrainedModel

from experiments.bench.planted_head import PlantedHead, plant_heads
from experiments.bench.probes import probe
from experiments.bench.tokens import Kind, Tokens, Wish, layer_of, tokens_of
from experiments.bench.wiring import gains, misleading, toward
from experiments.bench.wishes import FIRST_ANSWERS, drawn, rivals
from experiments.tableau.questions import ANSWERS as OPTIONS
from experiments.tableau.source import ASKED, TableauSource
from store.address import Address
from tools.engine.engine import Engine
from tools.stimuli import Stimulus
from tools.targets.adapter import adapter_for
from tools.targets.target import Target

PER_KIND, YES_OR_NO, COLOR = 12, 72, 320
"""Questions from which everything is made: of each kind, of each that is answered with yes or no, and about colors."""
MORE = 64
"""Questions of each kind where more than FEW neurons stand for answers of all kinds."""
FEW = 4
WEIGHED = 160
"""Questions on which outputs are weighed, at most."""
LOOKED_AT = 264
"""Questions from which a neuron for a color is made, at most: each picture has many tokens."""
FIRST_SEED = 5000
"""Seeds of those questions begin here; a run's own lie below 1000."""
PEAK = 3.0
"""Mean activation on tokens where the concept holds."""
STEEP = 6.0
"""Input of the gate there: SiLU is nearly linear that far out, and nearly closed at a fifth of it."""
Say = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Planted:
    """A planted neuron. `seen` is the correlation of its pooled activation with its concept on pictures or questions
    that the probe was not made from; `gain` what its output adds to right answers' margins there, in logits, beside all
    that was planted: above 0 where it helps, below 0 where it misleads, 0 of a decoy."""

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
    heads: tuple[PlantedHead, ...]


class Written(NamedTuple):
    """A unit whose input has been written, and its activation at every token."""

    unit: int
    values: Float[Tensor, "token"]


def plant(
    target: Target,
    seed: int,
    progress: Say = lambda *_: None,
    stimuli: Sequence[Stimulus] = (),
    *,
    neurons: int = FEW,
    heads: int = 1,
) -> Host:
    """A copy of the target with so many neurons, half of them wired, and heads; half of the stimuli make them, the
    others check. The heads' questions are those among them that ask for a color.

    Raises UserError of kind "planted" for more neurons than there are words, or more heads than are unused.
    """
    model = deepcopy(target.model)
    copy = Target(target.name, target.family, model, target.processor)
    wishes = list(enumerate(drawn(adapter_for(copy).extent(), seed, neurons)))
    each = PER_KIND if neurons <= FEW else MORE
    asked = list(stimuli or questions(seed, each))
    colors = [stimulus for stimulus in asked if stimulus.kind == "color"]
    shown = _thinned(asked, colors, each)
    weighed = shown[:: -(-len(shown) // WEIGHED)]
    progress("planting", 0, heads + len(wishes))
    said = plant_heads(copy, colors, weighed, heads)
    planted: dict[int, Planted] = {}
    for _, group in groupby(sorted(wishes, key=_place), key=_place):
        own = list(group)
        looked = shown if own[0][1].answer else shown[:: -(-len(shown) // LOOKED_AT)]
        outcome = Engine(copy).plain(looked, own[0][1].sites)
        for number, wish in own:
            tokens = tokens_of(copy, wish, looked, outcome)
            taken = {one.address for one in planted.values()}
            planted[number] = _planted(copy, wish, tokens, len(looked) // 2, taken, weighed)
            progress("planting", heads + len(planted), heads + len(wishes))
    found = [planted[number] for number, _ in wishes]
    wired = [one.address for one in found if one.kind == "wired"]
    gained = dict(zip(wired, gains(copy, wired, weighed), strict=True))
    carried = gains(copy, [one.address for one in said], colors)
    return Host(
        model,
        tuple(replace(one, gain=gained.get(one.address, 0.0)) for one in found),
        tuple(one._replace(gain=gain) for one, gain in zip(said, carried, strict=True)),
    )


def questions(seed: int, each: int = PER_KIND) -> list[Stimulus]:
    """Questions of all kinds before fresh scenes, `each` of those with many answers, shuffled."""
    source = TableauSource("train")
    asked: list[Stimulus] = []
    for kind in ASKED:
        n = COLOR if kind == "color" else YES_OR_NO if set(OPTIONS[kind]) == set(FIRST_ANSWERS) else each
        asked += source.ask(kind, n, FIRST_SEED + seed)
    order = np.random.default_rng(seed).permutation(len(asked))
    return [asked[i] for i in order]


def _thinned(asked: Sequence[Stimulus], colors: Sequence[Stimulus], each: int) -> list[Stimulus]:
    """The questions with as many about colors as about other things; a head needs more of them."""
    few = {one.key for one in colors[:: max(1, len(colors) // each)]}
    return [one for one in asked if one.kind != "color" or one.key in few]


def _place(numbered: tuple[int, Wish]) -> tuple[str, int]:
    wish = numbered[1]
    return wish.tower, wish.layer


def _planted(
    target: Target, wish: Wish, tokens: Tokens, fit: int, taken: set[Address], weighed: Sequence[Stimulus]
) -> Planted:
    """Writes a neuron whose input is made from the first `fit` rows."""
    made_from = tokens.row < fit
    unit, values = _write(target, wish, tokens, made_from, taken)
    if wish.kind == "wired":
        _wire(target, wish, unit, weighed, tokens)
    address = Address(wish.tower, wish.layer, "mlp", unit)
    return Planted(address, wish.kind, wish.concept, tokens.seen(values, ~made_from), 0.0)


def _write(
    target: Target, wish: Wish, tokens: Tokens, fit: Bool[Tensor, "token"], taken: set[Address]
) -> Written:
    """Writes the input of the unit that does least, so that it answers to the wish; its output becomes zero."""
    mlp = layer_of(target, wish).mlp
    unit = _idlest(mlp, wish, tokens, taken)
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
    return Written(unit, values)


def _wire(target: Target, wish: Wish, unit: int, weighed: Sequence[Stimulus], tokens: Tokens) -> None:
    """Gives the unit an output."""
    output = _output(layer_of(target, wish).mlp)
    stream = float(tokens.stream[tokens.counted].mean())
    if wish.answer:
        column = toward(target, wish.word, rivals(wish.word), PEAK, stream)
    else:
        column = misleading(target, output, unit, weighed, PEAK, stream)
    with torch.no_grad():
        output[:, unit] = column


def _idlest(mlp: Any, wish: Wish, tokens: Tokens, taken: set[Address]) -> int:
    """The unit that writes least: mean size of its activation times the length of its output."""
    order = (tokens.busy * _output(mlp).detach().norm(dim=0)).argsort().tolist()
    return next(unit for unit in order if Address(wish.tower, wish.layer, "mlp", unit) not in taken)


def _output(mlp: Any) -> Tensor:
    """The weights of the last linear map: a column for each neuron."""
    return cast(Tensor, (mlp.down_proj if hasattr(mlp, "down_proj") else mlp.fc2).weight)
