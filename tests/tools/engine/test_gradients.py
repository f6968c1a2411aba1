"""Gradients beside the engine: equal to small exact steps, and to whole ones where the model is linear."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from tests.tools.lively import asked
from tools.engine.engine import Engine
from tools.engine.gradients import BACKWARD, slopes
from tools.engine.plan import Add, Intervention, Plan, Row, Swap
from tools.meter import metered
from tools.targets.sites import Site, parse_site

STIMULI = asked("what color is the star ?", "what shape is the circle ?")
SITES = [
    parse_site(name)
    for name in ("vision.1.mlp.act", "vision.0.attn.z", "language.0.mlp.act", "language.1.attn.z", "embed")
]


def metric(logits: Tensor) -> Tensor:
    return logits[:, 9] - logits[:, 11]


def one_of(engine: Engine, site: Site) -> tuple[int, tuple[int, ...]]:
    """A part of the site that can be written alone, and where."""
    return 1, ((2,) if engine.adapter.tap(site).space == "vision" else (4,))


@pytest.mark.parametrize("site", SITES, ids=str)
def test_a_slope_is_what_small_exact_steps_give(llava: Engine, site: Site) -> None:
    found = slopes(llava, llava.adapter.batch(STIMULI[:1]), metric, [site]).slopes[site]
    part, positions = one_of(llava, site)
    step = 0.02
    rows = [
        Row(0, (Intervention(site, part, positions, Add(torch.tensor(sign * step))),)) for sign in (1.0, -1.0)
    ]
    up, down = metric(llava.run(Plan(STIMULI[:1], rows)).logits)
    slope = found[0, positions[0], llava.adapter.tap(site).part(part)].sum()
    assert float(slope) == pytest.approx(float(up - down) / (2 * step), rel=0.02, abs=1e-3)


@pytest.fixture
def unnormed(llava: Engine) -> Iterator[Engine]:
    """The model without its final norm: linear from the last layer's neurons on."""
    inner = cast(Any, llava.target.model).model.language_model
    kept, inner.norm = inner.norm, nn.Identity()
    yield llava
    inner.norm = kept


@pytest.mark.parametrize("unit", [0, 7, 20])
def test_where_the_model_is_linear_slope_times_difference_is_the_exact_patch(
    unnormed: Engine, unit: int
) -> None:
    site = Site("mlp.act", "language", 1)
    batch = unnormed.adapter.batch(STIMULI)
    found = slopes(unnormed, batch, metric, [site])
    rows = [Row(0), Row(0, (Intervention(site, unit, "all", Swap(1)),))]
    before, after = metric(unnormed.run(Plan(STIMULI, rows)).logits)
    difference = found.values[site][1] - found.values[site][0]
    guessed = (difference * found.slopes[site][0])[:, unit].sum()
    assert abs(float(after - before)) > 1e-3
    assert float(guessed) == pytest.approx(float(after - before), abs=1e-5)


def test_rows_do_not_lend_one_another_slopes(llava: Engine) -> None:
    site = Site("mlp.act", "language", 0)
    both = slopes(llava, llava.adapter.batch(STIMULI), metric, [site]).slopes[site]
    alone = slopes(llava, llava.adapter.batch(STIMULI[:1]), metric, [site]).slopes[site]
    assert torch.allclose(both[0], alone[0], atol=1e-5)


def test_what_nothing_reads_has_slope_0(llava: Engine) -> None:
    site = Site("mlp.act", "vision", 2)
    found = slopes(llava, llava.adapter.batch(STIMULI[:1]), metric, [site])
    assert float(found.slopes[site].abs().max()) == 0
    assert float(found.values[site].abs().max()) > 0


def test_the_metric_and_the_values_are_those_of_the_untouched_run(llava: Engine) -> None:
    site = Site("attn.z", "language", 0)
    found = slopes(llava, llava.adapter.batch(STIMULI), metric, [site])
    plain = llava.plain(STIMULI, (site,))
    assert torch.allclose(found.metric, metric(plain.logits), atol=1e-5)
    assert torch.allclose(found.values[site], plain.reads[site], atol=1e-5)


def test_a_pass_back_is_counted_as_two_forward(llava: Engine) -> None:
    with metered() as meter:
        slopes(llava, llava.adapter.batch(STIMULI), metric, [Site("embed")])
    assert meter.rows == len(STIMULI) * (1 + BACKWARD)


def test_slopes_at_patterns_are_refused(llava: Engine) -> None:
    with pytest.raises(ValueError, match="patterns"):
        slopes(llava, llava.adapter.batch(STIMULI), metric, [parse_site("language.0.attn.pattern")])
