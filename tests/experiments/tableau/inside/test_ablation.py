"""An ablation does what it says, all of it, or raises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from experiments.tableau.balanced import balanced
from experiments.tableau.inside.ablation import (
    ablated,
    heads,
    position_classes,
    projections,
    random_channels,
    reference_means,
)
from experiments.tableau.inside.activations import reading
from experiments.tableau.inside.heads import effects
from experiments.tableau.inside.heads import heads as measure_heads
from experiments.tableau.inside.stimuli import Stimuli, answer_logits, decode, embedded
from experiments.tableau.models import PREFIX
from experiments.tableau.questions import Kind

KINDS: tuple[Kind, ...] = ("color", "counting", "relation")


def test_only_heads_that_are_read_are_listed(model: Any) -> None:
    assert [len(heads(model, tower)) for tower in ("vision", "language")] == [16, 24]
    head = heads(model, "language")[5]
    assert (head.address, head.channels) == ("language.1.head.1", tuple(range(32, 64)))
    controls = random_channels(model, "language", 0)
    assert [len(set(control.channels)) for control in controls] == [32] * 6


def test_nothing_ablated_changes_nothing_and_all_heads_ablated_do(model: Any, batch: Stimuli) -> None:
    module, classes = projections(model, "language")[3], position_classes(batch, "language")
    means = reference_means(model, [batch], "language")[3]
    with torch.no_grad():
        streams = decode(model, embedded(model, batch))
        plain = answer_logits(model, streams[-1], batch.last)
        with ablated(module, (), means, classes):
            same = answer_logits(model, decode(model, streams[3], 3)[-1], batch.last)
        with ablated(module, range(128), means, classes):
            other = answer_logits(model, decode(model, streams[3], 3)[-1], batch.last)
        again = answer_logits(model, decode(model, streams[3], 3)[-1], batch.last)
    assert torch.equal(plain, same) and torch.equal(plain, again)
    assert (plain - other).abs().max() > 1e-4


def test_each_head_changes_the_answer_of_some_question(model: Any, batch: Stimuli) -> None:
    for tower in ("vision", "language"):
        means = reference_means(model, [batch], tower)
        classes = position_classes(batch, tower)
        with torch.no_grad():
            plain = answer_logits(model, decode(model, embedded(model, batch))[-1], batch.last)
            for head in heads(model, tower)[::7]:
                module = projections(model, tower)[head.layer]
                with ablated(module, head.channels, means[head.layer], classes):
                    changed = answer_logits(model, decode(model, embedded(model, batch))[-1], batch.last)
                assert (plain - changed).abs().max() > 1e-7, head.address


def test_means_are_those_of_each_class_of_positions(model: Any, batch: Stimuli) -> None:
    seen: list[torch.Tensor] = []
    with torch.no_grad(), reading({"x": projections(model, "language")[0]}, lambda _, z: seen.append(z)):
        decode(model, embedded(model, batch))
    means = reference_means(model, [batch], "language")[0]
    rows = torch.arange(len(batch.ids))
    torch.testing.assert_close(means[0], seen[0][:, 0].mean(0))
    torch.testing.assert_close(means[1], seen[0][:, 1:PREFIX].mean((0, 1)), atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(means[3], seen[0][rows, batch.last].mean(0))
    words = [seen[0][row, PREFIX : batch.last[row]] for row in rows]
    torch.testing.assert_close(means[2], torch.cat(words).mean(0))


def test_an_ablation_that_does_not_run_is_an_error(model: Any, batch: Stimuli) -> None:
    module, classes = projections(model, "language")[0], position_classes(batch, "language")
    with (
        pytest.raises(RuntimeError, match="the ablation's hook did not fire"),
        ablated(module, range(32), torch.zeros(4, 128), classes),
    ):
        pass


def test_a_head_that_one_kind_needs_stands_out_and_one_that_all_need_does_not() -> None:
    before = np.ones((3, 60), dtype=bool)
    after = np.ones((2, 3, 60), dtype=bool)
    after[0, 1, :30] = False
    after[1, :, :30] = False
    one, every = effects(before, after, ["language.0.head.0", "language.0.head.1"], KINDS)
    assert one.specialized and one.kind == "counting"
    assert one.margin.value == one.lead == 0.5
    assert one.loss["color"].value == 0 and one.margin.n == 60
    assert not every.specialized and every.margin.value == 0


def test_kinds_with_unequal_numbers_of_questions_are_refused(model: Any) -> None:
    questions = {"color": balanced("color", 2), "shape": balanced("shape", 1)}
    with pytest.raises(ValueError, match=r"equally many questions, got \{'color': 2, 'shape': 1\}"):
        measure_heads(model, questions, [], "language")  # type: ignore[arg-type]


def test_the_report_of_a_tower_holds_every_head_and_kind(model: Any) -> None:
    questions = {kind: balanced(kind, 2, seed=6) for kind in KINDS[:2]}
    reference = questions["color"][:1]
    report = measure_heads(model, questions, reference, "language", controls=False)
    assert len(report.heads) == 24 and not report.random_channels
    assert report.as_json()["accuracy"].keys() == set(KINDS[:2])
    assert {effect.loss["color"].n for effect in report.heads} == {2}
