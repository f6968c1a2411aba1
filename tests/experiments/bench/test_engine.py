"""Sweeps that engines are timed on: all say the same, and no count of operations lies below the fewest."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from experiments.bench.engine_figure import draw_engine
from experiments.bench.engine_jobs import LAST, floor, jobs
from experiments.bench.engine_shape import Shape, questions, shaped
from experiments.bench.engine_speed import speed
from tests.conftest import skip_or_fail
from tools.engine.engine import Engine
from tools.engine.plan import Plan, Row

TINY = Shape("tiny", 32, 48, 3, 2, seeing=2, words=36)


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    if missing := [name for name in ("nnsight", "transformer_lens") if find_spec(name) is None]:
        skip_or_fail("oracles", f"{', '.join(missing)} is not installed")
    return speed(TINY, stride=200, timed=2)


def test_a_shape_has_the_tokens_of_llava() -> None:
    engine = Engine(shaped(TINY))
    batch = engine.adapter.batch(questions(TINY))
    assert batch.width("language") == 576 + TINY.words
    assert batch.visual.sum(1).tolist() == [576, 576]
    one, other = engine.plain(questions(TINY)).logits
    assert (one - other).abs().max() > 0


def test_every_loop_says_what_ours_says(found: dict[str, Any]) -> None:
    for name, job in found["jobs"].items():
        assert set(job["loops"]) >= {"bare forward", "TransformerLens"}
        assert ("nnsight" in job["loops"]) == (name != "knockout from the last")
        for loop, result in job["loops"].items():
            assert result["agrees"] is (None if loop == "bare forward" else True), (name, loop)


def test_a_cell_of_a_sweep_changes_the_logits() -> None:
    """Otherwise all would agree on nothing."""
    engine, stimuli = Engine(shaped(TINY)), questions(TINY)
    for job in jobs(3, 2, 576 + TINY.words, 200):
        plan = job.plan(stimuli)
        plain = engine.run(Plan(plan.stimuli, [Row(0)])).logits
        moved = (engine.run(plan).logits - plain).abs().amax(1)
        assert float((moved > 0).float().mean()) > 0.5, job.name


def test_ours_takes_hardly_more_than_the_fewest_operations(found: dict[str, Any]) -> None:
    for name, job in found["jobs"].items():
        assert 1.0 <= job["flops_over_floor"] < 1.5, name
        assert job["loop_flops_over_floor"] > job["flops_over_floor"]


def test_the_fewest_operations_are_those_of_the_untouched_runs_and_of_every_cells_own_positions() -> None:
    engine, stimuli = Engine(shaped(TINY)), questions(TINY)
    heads = jobs(3, 2, 576 + TINY.words, 200)[2]
    batch, decoder = engine.adapter.batch(stimuli), engine.adapter.decoder()
    assert decoder is not None
    width = batch.width("language")
    steps = sum(2 * (decoder.flops(slice(layer, None), 1, width) + decoder.head_flops) for layer in range(3))
    assert floor(heads, engine, stimuli) == 2 * engine.adapter.flops(batch) + steps


def test_the_sweeps_are_whole_but_for_the_stride() -> None:
    everywhere, ending, heads, knockout = jobs(3, 2, 100, 7)
    assert {cell.position for cell in everywhere.cells} == set(range(99, -1, -7))
    assert len(ending.cells) == 3 * LAST and min(cell.position for cell in ending.cells) == 100 - LAST
    assert heads.cells == knockout.cells and len(heads.cells) == 6


def test_the_scan_reads_every_component_of_both_towers(found: dict[str, Any]) -> None:
    scan = found["scan"]
    assert scan["components"] == 3 * (48 + 2) + 2 * (128 + 1)
    assert 0.5 < scan["ratio"]["value"] < 20 and scan["ratio"]["ci"][0] < scan["ratio"]["ci"][1]


def test_the_chart_shows_every_shape(found: dict[str, Any], tmp_path: Path) -> None:
    draw_engine({"tiny": found, "again": found}, tmp_path / "engine.png")
    with Image.open(tmp_path / "engine.png") as picture:
        assert picture.width > 1.8 * picture.height
    assert torch.is_grad_enabled()
