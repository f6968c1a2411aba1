"""Wired neurons have an output and decoys none; nothing else of the model changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
import torch

from experiments.bench.planted import Host, plant, questions
from experiments.registry import open_target
from experiments.tableau.source import TableauSource
from store.address import Address
from tools.stimuli import Stimulus
from tools.targets.target import Target


@pytest.fixture(scope="module")
def target() -> Target:
    return open_target("tableau-llava-random", "cpu")


@pytest.fixture(scope="module")
def host(target: Target) -> Host:
    return plant(target, 0, stimuli=few())


def few() -> list[Stimulus]:
    source = TableauSource("train")
    asked = zip(source.ask("polling", 8, 7), source.ask("color", 8, 7), strict=True)
    return [stimulus for both in asked for stimulus in both]


def output(model: Any, address: Address) -> torch.Tensor:
    """What a neuron writes."""
    inner = model.model
    if address.tower == "language":
        return cast(torch.Tensor, inner.language_model.layers[address.layer].mlp.down_proj.weight)[
            :, address.index
        ]
    return cast(torch.Tensor, inner.vision_tower.encoder.layers[address.layer].mlp.fc2.weight)[
        :, address.index
    ]


def test_two_are_wired_and_two_are_decoys_at_four_places(host: Host) -> None:
    assert [neuron.kind for neuron in host.neurons] == ["wired", "wired", "decoy", "decoy"]
    assert len({neuron.address for neuron in host.neurons}) == 4
    assert [neuron.concept.startswith("answer is ") for neuron in host.neurons] == [False, True, False, False]


def test_wired_neurons_write_and_decoys_do_not(host: Host) -> None:
    lengths = [float(output(host.model, neuron.address).norm()) for neuron in host.neurons]
    assert min(lengths[:2]) > 0 == max(lengths[2:])
    assert [neuron.gain == 0 for neuron in host.neurons[2:]] == [True, True]


def changed_rows(target: Target, host: Host) -> Iterator[tuple[str, int]]:
    """Every weight matrix that differs, and in how many rows (of what neurons write: columns)."""
    planted = host.model.state_dict()
    for name, before in target.model.state_dict().items():
        differs = before != planted[name]
        if differs.any():
            by_unit = differs.T if name.split(".")[-2] in ("down_proj", "fc2", "o_proj") else differs
            yield name, int(by_unit.reshape(len(by_unit), -1).any(1).sum())


def test_the_head_speaks_for_colors(host: Host) -> None:
    assert host.heads[0].kind == "head" and 0 <= host.heads[0].looks <= 1


def test_only_the_planted_neurons_differ_from_the_model_which_stays_as_it_was(
    target: Target, host: Host
) -> None:
    touched = list(changed_rows(target, host))
    neurons = [rows for name, rows in touched if ".mlp." in name]
    assert neurons == [1] * (3 * 3 + 3)
    head = {name.split(".")[-2]: rows for name, rows in touched if ".self_attn." in name}
    assert set(head) == {"q_proj", "k_proj", "v_proj", "o_proj"} and len(touched) == len(neurons) + len(head)
    assert max(head.values()) == 32 and host.heads[0].address.layer == 4


def test_nothing_is_planted_where_nothing_is_wanted(target: Target) -> None:
    bare = plant(target, 0, stimuli=few(), neurons=0, heads=0)
    assert not bare.neurons and not bare.heads and not list(changed_rows(target, bare))


def test_questions_are_the_same_for_a_seed_and_none_of_a_run() -> None:
    first, again = questions(0), questions(0)
    assert [one.key for one in first] == [one.key for one in again]
    assert all("-5000/" in one.key for one in first)
