"""What is weighed: questions with a right answer and a wrong one, and what a component adds to the margin between."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch

from experiments.bench.spare_heads import spare_heads
from experiments.bench.wiring import gains, mean_without, weighed
from experiments.registry import open_target
from experiments.tableau.source import TableauSource
from store.address import parse
from store.errors import UserError
from tools.engine.engine import Engine
from tools.stimuli import Stimulus
from tools.targets.adapter import adapter_for
from tools.targets.target import Target


@pytest.fixture(scope="module")
def target() -> Target:
    return open_target("tableau-llava-random", "cpu")


def asked(kind: str, n: int = 4) -> list[Stimulus]:
    return TableauSource("train").ask(kind, n, 7)


def test_a_kind_with_one_answer_among_the_questions_is_left_out(target: Target) -> None:
    lonely, both = asked("color")[:1], asked("polling")
    found = weighed(target, [*both, *lonely])
    assert {one.kind for one in found.stimuli} == {"polling"} and len(found.stimuli) == 4
    assert all(
        right not in others and others for right, others in zip(found.right, found.others, strict=True)
    )


def test_questions_without_any_wrong_answer_are_refused_with_what_to_do(target: Target) -> None:
    with pytest.raises(UserError, match="`0` of 1 questions have a right answer and a wrong one"):
        weighed(target, asked("color")[:1])


def test_the_margin_is_the_lead_over_the_best_other_answer_of_the_kind(target: Target) -> None:
    found = weighed(target, asked("polling"))
    logits = torch.zeros(4, 1000)
    rows = torch.arange(4)
    logits[rows, found.right] = 3
    logits[rows, [others[0] for others in found.others]] = torch.tensor([1.0, 2.0, 3.0, 5.0])
    logits[:, 999] = 100
    assert found.margins(logits).tolist() == [2, 1, 0, -2]


def test_what_a_neuron_adds_is_the_margin_with_it_less_the_margin_without(target: Target) -> None:
    layers = cast(Any, target.model).model.language_model.layers
    column: torch.Tensor = layers[5].mlp.down_proj.weight[:, 3]
    kept = column.detach().clone()
    questions = asked("polling", 4)
    with torch.no_grad():
        column.zero_()
    try:
        silent, loud = gains(target, [parse("language.5.mlp.3"), parse("language.5.mlp.4")], questions)
    finally:
        with torch.no_grad():
            column.copy_(kept)
    checked = weighed(target, questions).halves()[1]
    adapter = adapter_for(target)
    with torch.no_grad():
        whole = checked.margins(adapter.forward(adapter.batch(checked.stimuli))).mean()
    without = mean_without(Engine(target), checked, (parse("language.5.mlp.4"),))
    assert silent == 0
    assert loud == pytest.approx(float(whole) - without, abs=2e-3)
    assert gains(target, [], questions) == []


def test_spare_heads_may_be_of_no_more_layers_than_are_named(target: Target) -> None:
    assert {one.layer for one in spare_heads(target, asked("polling", 4), first_layer=5)} <= {5}
