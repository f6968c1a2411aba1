"""Heads are spare when the model answers almost as well without all of them together."""

from __future__ import annotations

import pytest
import torch

from experiments.bench.spare_heads import SPARED, chosen, output_of, spare_heads
from experiments.bench.wiring import mean_with
from experiments.registry import open_target
from experiments.tableau.source import TableauSource
from store.address import Address
from store.errors import UserError
from tools.stimuli import Stimulus
from tools.targets.target import Target


@pytest.fixture(scope="module")
def target() -> Target:
    return open_target("tableau-llava", "cpu")


@pytest.fixture(scope="module")
def weighed() -> list[Stimulus]:
    source = TableauSource("train")
    asked = zip(source.ask("polling", 3, 7), source.ask("color", 3, 7), strict=True)
    return [stimulus for both in asked for stimulus in both]


def test_without_all_spare_heads_almost_all_of_the_margin_is_left_and_weights_stay(
    target: Target, weighed: list[Stimulus]
) -> None:
    before = {name: tensor.clone() for name, tensor in target.model.state_dict().items()}
    spare = spare_heads(target, weighed, first_layer=5)
    assert all(torch.equal(tensor, before[name]) for name, tensor in target.model.state_dict().items())
    assert spare and len(set(spare)) == len(spare)
    kept = {one: output_of(target, one).detach().clone() for one in spare}
    try:
        first = spare[0]
        whole = mean_with(target, output_of(target, first), slice(None), kept[first], weighed)
        left = whole
        for one in spare:
            silent = torch.zeros_like(kept[one])
            left = mean_with(target, output_of(target, one), slice(None), silent, weighed)
        assert whole > 0 and whole - left <= SPARED * whole
    finally:
        for one, output in kept.items():
            mean_with(target, output_of(target, one), slice(None), output, weighed)


def test_more_heads_than_are_spare_are_refused_with_the_number_that_is() -> None:
    spare = [Address("language", 5, "head", head) for head in (3, 0)]
    assert chosen(spare, 1, "a model") == spare[:1]
    with pytest.raises(UserError, match="`3` heads can't be planted: a model can spare 2"):
        chosen(spare, 3, "a model")
