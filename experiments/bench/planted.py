"""Planted neurons: concepts written into unused MLP units of a copy of the model, with and without a way to answers.

Input weights come from a probe at the tokens that the concept is about. Of the wired units one helps with an answer and
one misleads; a decoy's output is zero, so that it fires and does nothing. Knows which neurons are planted and how;
probes.py finds their input, wiring.py their output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor
from transformers import PreTrainedModel

from experiments.bench.planted_head import PlantedHead, plant_head
from experiments.bench.probes import probe
from experiments.bench.tokens import Kind, Tokens, Wish, layer_of, tokens_of
from experiments.bench.wiring import gain, misleading, toward
from experiments.tableau.questions import ANSWERS as OPTIONS
from experiments.tableau.scene import COLORS
from experiments.tableau.source import ASKED, TableauSource
from store.address import Address
from tools.engine.engine import Engine
from tools.stimuli import Stimulus
from tools.targets.adapter import adapter_for
from tools.targets.target import Target

PER_KIND, YES_OR_NO, COLOR = 12, 72, 320
"""Questions from which everything is made: of each kind, of each that is answered with yes or no, and about colors."""
FIRST_SEED = 5000
"""Seeds of those questions begin here; a run's own lie below 1000."""
PEAK = 3.0
"""Mean activation on tokens where the concept holds."""
STEEP = 6.0
"""Input of the gate there: SiLU is nearly linear that far out, and nearly closed at a fifth of it."""
ANSWERS = ("yes", "no")
"""Answers that a unit can be wired to: those of many questions."""
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
    head: PlantedHead


class Written(NamedTuple):
    """A unit whose input has been written, and its activation at every token."""

    unit: int
    values: Float[Tensor, "token"]


def plant(
    target: Target, seed: int, progress: Say = lambda *_: None, stimuli: Sequence[Stimulus] = ()
) -> Host:
    """A copy of the target with two wired neurons, two decoys and a head; half of the stimuli make them, the others
    check. The head's questions are those among them that ask for a color."""
    model = deepcopy(target.model)
    copy = Target(target.name, target.family, model, target.processor)
    shown = stimuli or questions(seed)
    wishes = drawn(copy, seed)
    colors = [stimulus for stimulus in shown if stimulus.kind == "color"]
    progress("planting", 0, 1 + len(wishes))
    head = plant_head(copy, colors)
    progress("planting", 1, 1 + len(wishes))
    few = {one.key for one in colors[:: max(1, len(colors) // PER_KIND)]}
    shown = [one for one in shown if one.kind != "color" or one.key in few]
    outcome = Engine(copy).plain(shown, tuple(site for wish in wishes for site in wish.sites))
    neurons: list[Planted] = []
    for place, wish in enumerate(wishes):
        tokens = tokens_of(copy, wish, shown, outcome)
        fit = tokens.row < len(shown) // 2
        unit, values = _write(copy, wish, tokens, fit, {one.address for one in neurons})
        added = _wire(copy, wish, unit, shown, tokens) if wish.kind == "wired" else 0.0
        address = Address(wish.tower, wish.layer, "mlp", unit)
        neurons.append(Planted(address, wish.kind, wish.concept, tokens.seen(values, ~fit), added))
        progress("planting", place + 2, 1 + len(wishes))
    return Host(model, tuple(neurons), head)


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
        n = COLOR if kind == "color" else YES_OR_NO if set(OPTIONS[kind]) == set(ANSWERS) else PER_KIND
        asked += source.ask(kind, n, FIRST_SEED + seed)
    order = np.random.default_rng(seed).permutation(len(asked))
    return [asked[i] for i in order]


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


def _wire(target: Target, wish: Wish, unit: int, stimuli: Sequence[Stimulus], tokens: Tokens) -> float:
    """Gives the unit an output, and returns what that adds to right answers' margins."""
    output = _output(layer_of(target, wish).mlp)
    stream = float(tokens.stream[tokens.counted].mean())
    if wish.answer:
        column = toward(target, wish.word, ANSWERS, PEAK, stream)
    else:
        column = misleading(target, output, unit, stimuli, PEAK, stream)
    with torch.no_grad():
        output[:, unit] = column
    return gain(target, output, unit, stimuli)


def _idlest(mlp: Any, wish: Wish, tokens: Tokens, taken: set[Address]) -> int:
    """The unit that writes least: mean size of its activation times the length of its output."""
    order = (tokens.busy * _output(mlp).detach().norm(dim=0)).argsort().tolist()
    return next(unit for unit in order if Address(wish.tower, wish.layer, "mlp", unit) not in taken)


def _output(mlp: Any) -> Tensor:
    """The weights of the last linear map: a column for each neuron."""
    return cast(Tensor, (mlp.down_proj if hasattr(mlp, "down_proj") else mlp.fc2).weight)
