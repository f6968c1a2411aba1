"""The engine beside nnsight, which was written by others: the same patches, the same logits.

In float32, with the models' own eager attention on nnsight's side.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import torch
from nnsight import NNsight
from torch import Tensor

from tests.tools.lively import asked, lively
from tools.engine.engine import Engine
from tools.engine.plan import Intervention, Plan, Row, Swap
from tools.targets.sites import parse_site

STIMULI = asked("what color is the star ?", "what shape is the circle ?")


class Oracle:
    """A target of its own with the engine's weights, and nnsight around its model."""

    def __init__(self, folder: Path) -> None:
        self.target = lively(folder)
        self.target.model.set_attn_implementation("eager")
        self.model = NNsight(self.target.model)

    def logits(self, inputs: dict[str, Tensor]) -> Tensor:
        with torch.no_grad():
            return self.target.model(**inputs).logits[0, -1]


@pytest.fixture(scope="module")
def oracle(llava_folder: Path) -> Oracle:
    return Oracle(llava_folder)


def inputs(engine: Engine, number: int) -> dict[str, Tensor]:
    return engine.adapter.batch([STIMULI[number]]).inputs


def ours(engine: Engine, site: str, index: int | None, positions: Any) -> Tensor:
    write = Intervention(parse_site(site), index, positions, Swap(1))
    return engine.run(Plan(STIMULI, [Row(0, (write,))])).logits[0]


def check(engine: Engine, oracle: Oracle, found: Tensor, expected: Tensor) -> None:
    assert (found - expected).abs().max() < 1e-5
    assert (expected - oracle.logits(inputs(engine, 0))).abs().max() > 1e-3


def test_the_untouched_runs_agree(llava: Engine, oracle: Oracle) -> None:
    for number in range(2):
        expected = oracle.logits(inputs(llava, number))
        assert (llava.plain(STIMULI).logits[number] - expected).abs().max() < 1e-5


def test_a_residual_patch_agrees(llava: Engine, oracle: Oracle) -> None:
    model, layer = cast(Any, oracle.model), cast(Any, oracle.model).model.language_model.layers[0]
    with torch.no_grad():
        with model.trace(**inputs(llava, 1)):
            source = layer.output.save()
        with model.trace(**inputs(llava, 0)):
            layer.output[:, 1:5] = source[:, 1:5]
            logits = model.lm_head.output.save()
    check(llava, oracle, ours(llava, "language.0.resid_post", None, "visual"), logits[0, -1])


def test_a_head_patch_agrees(llava: Engine, oracle: Oracle) -> None:
    model = cast(Any, oracle.model)
    projection = model.model.language_model.layers[1].self_attn.o_proj
    with torch.no_grad():
        with model.trace(**inputs(llava, 1)):
            source = projection.input.save()
        with model.trace(**inputs(llava, 0)):
            patched = projection.input.clone()
            patched[:, :, 12:18] = source[:, :, 12:18]
            projection.input = patched
            logits = model.lm_head.output.save()
    check(llava, oracle, ours(llava, "language.1.attn.z", 2, "all"), logits[0, -1])


def test_a_neuron_patch_agrees(llava: Engine, oracle: Oracle) -> None:
    model = cast(Any, oracle.model)
    down = model.model.language_model.layers[0].mlp.down_proj
    with torch.no_grad():
        with model.trace(**inputs(llava, 1)):
            source = down.input.save()
        with model.trace(**inputs(llava, 0)):
            patched = down.input.clone()
            patched[:, 5:, 3] = source[:, 5:, 3]
            down.input = patched
            logits = model.lm_head.output.save()
    check(llava, oracle, ours(llava, "language.0.mlp.act", 3, tuple(range(5, 11))), logits[0, -1])


def test_a_vision_neuron_patch_agrees(llava: Engine, oracle: Oracle) -> None:
    model = cast(Any, oracle.model)
    down = model.model.vision_tower.encoder.layers[1].mlp.fc2
    with torch.no_grad():
        with model.trace(**inputs(llava, 1)):
            source = down.input.save()
        with model.trace(**inputs(llava, 0)):
            patched = down.input.clone()
            patched[:, 1:, 7] = source[:, 1:, 7]
            down.input = patched
            logits = model.lm_head.output.save()
    check(llava, oracle, ours(llava, "vision.1.mlp.act", 7, "visual"), logits[0, -1])
