"""A planted head looks at what is asked about and says its color, where a color is asked for and nowhere else."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch

from experiments.bench.planted_head import PlantedHead, labels_of, plant_heads
from experiments.registry import open_target
from experiments.tableau.scene import COLORS, SHAPES
from experiments.tableau.source import TableauSource
from store.address import Address
from tools.activations import ModelActivations
from tools.engine.engine import Engine
from tools.pools import POOLS
from tools.stimuli import Stimulus
from tools.targets.adapter import adapter_for
from tools.targets.sites import Site
from tools.targets.target import Target

OTHERS = ("polling", "shape", "two_hop", "fill")


@pytest.fixture(scope="module")
def target() -> Target:
    loaded = open_target("tableau-llava", "cpu")
    return Target(loaded.name, loaded.family, deepcopy(loaded.model), loaded.processor)


@pytest.fixture(scope="module")
def head(target: Target) -> PlantedHead:
    source = TableauSource("train")
    others = [one for kind in OTHERS for one in source.ask(kind, 12, 7)]
    (planted,) = plant_heads(target, source.ask("color", 112, 7), others, 1)
    return planted


def fresh(kind: str, n: int) -> list[Stimulus]:
    return TableauSource("train").ask(kind, n, 8)


def test_most_of_its_attention_is_on_the_thing_that_was_asked_about(head: PlantedHead) -> None:
    assert head.looks > 0.4


def test_it_writes_where_a_color_is_asked_for_and_is_quiet_elsewhere(
    target: Target, head: PlantedHead
) -> None:
    source = ModelActivations(target, adapter_for(target))
    colors, rest = fresh("color", 12), [one for kind in OTHERS for one in fresh(kind, 4)]
    values = source.pooled([head.address], [*colors, *rest])[:, :, 0]
    answer = values[POOLS.index("answer")]
    assert answer[:12].mean() > 4 * answer[12:].mean()
    assert answer[:12].mean() > 10 * values[POOLS.index("visual.max")].mean()
    assert answer[:12].mean() > 4 * np.median(values[POOLS.index("question.max"), 12:])


def test_what_it_writes_raises_the_right_color_more_often_than_any_other(
    target: Target, head: PlantedHead
) -> None:
    asked = [one for one in fresh("color", 32) if set(SHAPES) & set(one.question.split())]
    site = Site("attn.z", "language", head.address.layer)
    outcome = Engine(target).plain(asked, (site,))
    adapter = adapter_for(target)
    read = outcome.reads[site][torch.arange(len(asked)), outcome.batch.answer]
    assert head.address.index is not None
    own = read[:, adapter.tap(site).part(head.address.index)] @ adapter.output_row(head.address)
    with torch.no_grad():
        logits = adapter.unembed(own)[:, [adapter.token(color) for color in COLORS]]
    said = [COLORS[place] for place in logits.argmax(1).tolist()]
    right = sum(word == one.answer for word, one in zip(said, asked, strict=True))
    assert len(asked) >= 12 and right / len(asked) > 0.6


def test_only_color_questions_ask_for_a_color() -> None:
    labels = labels_of([*fresh("color", 4), *fresh("two_hop", 4)])
    assert labels.color_asked[:, 0].tolist() == [1] * 4 + [0] * 4
    assert labels.asked[4:].sum() == 0 and set(labels.asked.sum(1).tolist()) <= {0, 1}


def test_a_single_head_stands_in_the_last_layer_but_one(head: PlantedHead) -> None:
    assert isinstance(head.address, Address) and head.address.layer == 4
