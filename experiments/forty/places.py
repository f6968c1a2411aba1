"""Places: targets about which something is known, because it was written into their weights or taken out of them.

Knows how each is made from the embedded model, and which planted neuron a name in the table stands for. Knows nothing
about questions.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch

from experiments.bench.bench_target import BenchTarget
from experiments.bench.planted import plant
from experiments.registry import open_target
from experiments.workplace import Workplace
from experiments.worlds import open_world
from store.database import Store
from tools.stimuli import Stimulus
from tools.targets.target import Target

HOST, UNTRAINED = "tableau-llava", "tableau-llava-random"
SEED, NEURONS = 7, 8
"""With which these neurons are planted, among others: NAMES holds for no other seed."""
NAMES = {
    "{red}": ("decoy", "language", "red thing"),
    "{purple}": ("decoy", "language", "purple thing"),
    "{vision_purple}": ("decoy", "vision", "purple thing"),
    "{pink}": ("wired", "language", "pink thing"),
    "{says_yes}": ("wired", "language", "answer is yes"),
}
"""Kind, tower and concept of the neuron that a name stands for."""
LEFT = 2
"""The head of the last layer that the place `cut` keeps."""
TRIED = 24
"""Pictures among which one is sought that the target answers right."""


@dataclass
class Places:
    """Makes each place when it is first asked for, all with one store and one cache."""

    store: Store
    cache: Path
    images: str
    names: dict[str, str] = field(default_factory=dict)
    made: dict[str, Workplace] = field(default_factory=dict)

    def workplace(self, place: str) -> Workplace:
        if place not in self.made:
            target = self._target(place)
            world = open_world(self.images, target, seed=0)
            self.made[place] = Workplace(self.store, target, world, 0, cache=self.cache)
        return self.made[place]

    def filled_in(self, words: str) -> str:
        """The words with addresses in the place of names."""
        for name, address in self.names.items():
            words = words.replace(name, address)
        return words

    def shown(self, kind: str) -> tuple[int, Stimulus]:
        """The first picture with a question of this kind that the whole target answers as the scene has it."""
        workplace = self.workplace("whole")
        images = workplace.world.train
        asked = [(number, images.asked(number)) for number in range(len(images))]
        fit = [(number, one) for number, one in asked if one.kind == kind][:TRIED]
        said = workplace.engine.plain([one for _, one in fit]).logits.argmax(dim=-1).tolist()
        token = workplace.adapter.token
        return next(pair for pair, word in zip(fit, said, strict=True) if word == token(pair[1].answer))

    def _target(self, place: str) -> Target:
        if place == "untrained":
            return open_target(UNTRAINED, "cpu")
        host = open_target(HOST, "cpu")
        if place == "whole":
            return host
        if place == "planted":
            return self._planted(host)
        return _changed(host, place, {"cut": cut, "blind": blind}[place])

    def _planted(self, host: Target) -> Target:
        planted = plant(host, SEED, neurons=NEURONS, heads=0)
        for name, wanted in NAMES.items():
            self.names[name] = next(
                str(one.address)
                for one in planted.neurons
                if (one.kind, one.address.tower, one.concept) == wanted
            )
        return BenchTarget(HOST, host.family, planted.model, host.processor, repr(planted.neurons))


def cut(model: Any) -> None:
    """Of the last layer's heads one goes on writing, of the layer before it none."""
    layers = model.model.language_model.layers
    heads = model.config.text_config.num_attention_heads
    last = layers[-1].self_attn.o_proj.weight
    width = last.shape[1] // heads
    for head in set(range(heads)) - {LEFT}:
        last[:, head * width : (head + 1) * width] = 0
    layers[-2].self_attn.o_proj.weight.zero_()


def blind(model: Any) -> None:
    """Every picture becomes the same nothing."""
    last = model.model.multi_modal_projector.linear_2
    last.weight.zero_()
    last.bias.zero_()


def _changed(host: Target, name: str, change: Callable[[Any], None]) -> Target:
    model = deepcopy(host.model)
    with torch.no_grad():
        change(cast(Any, model))
    return BenchTarget(f"{HOST}, {name}", host.family, model, host.processor, name)
