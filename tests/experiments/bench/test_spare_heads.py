"""Heads are spare when the model answers almost as well without all of them together."""

from __future__ import annotations

import pytest
import torch

from experiments.bench.spare_heads import SPARED, chosen, spare_heads
from experiments.bench.wiring import mean_without, weighed
from experiments.registry import open_target
from experiments.tableau.source import TableauSource
from store.address import Address
from store.errors import UserError
from tools.engine.engine import Engine
from tools.stimuli import Stimulus
from tools.targets.target import Target


@pytest.fixture(scope="module")
def target() -> Target:
    return open_target("tableau-llava", "cpu")


@pytest.fixture(scope="module")
def asked() -> list[Stimulus]:
    source = TableauSource("train")
    both = zip(source.ask("polling", 3, 7), source.ask("color", 3, 7), strict=True)
    return [stimulus for pair in both for stimulus in pair]


def test_without_all_spare_heads_almost_all_of_the_margin_is_left_and_weights_stay(
    target: Target, asked: list[Stimulus]
) -> None:
    before = {name: tensor.clone() for name, tensor in target.model.state_dict().items()}
    spare = spare_heads(target, asked, first_layer=5)
    assert all(torch.equal(tensor, before[name]) for name, tensor in target.model.state_dict().items())
    assert spare and len(set(spare)) == len(spare)
    own, engine = weighed(target, asked), Engine(target)
    whole, left = mean_without(engine, own, ()), mean_without(engine, own, spare)
    assert whole > 0 and whole - left <= SPARED * whole


def test_more_heads_than_are_spare_are_refused_with_the_number_that_is() -> None:
    spare = [Address("language", 5, "head", head) for head in (3, 0)]
    assert chosen(spare, 1, "a model") == spare[:1]
    with pytest.raises(UserError, match="`3` heads can't be planted: a model can spare 2"):
        chosen(spare, 3, "a model")
