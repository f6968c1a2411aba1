"""What an engine says that it will do is what it does, counted by torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from tests.tools.engine.test_starts import fresh, write
from tests.tools.lively import QUESTIONS, asked
from tools.engine.engine import Engine
from tools.engine.plan import Plan, Row, Swap, Zero
from tools.targets.sites import Site, parse_site

STIMULI = asked(*QUESTIONS)


def attended(query: Any, key: Any, *_: Any, **__: Any) -> int:
    """Operations of an attention kernel's two products, of tensors of these shapes."""
    rows, heads, queries, width = query
    return int(4 * rows * heads * queries * key[2] * width)


KERNEL = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: attended}


def measured(engine: Engine, plan: Plan) -> int:
    """FLOPs by torch's own count of what runs, and of its kernel for attention, which it does not count."""
    with FlopCounterMode(display=False, custom_mapping=KERNEL) as counter:
        engine.run(plan)
    return int(counter.get_total_flops())


PLANS = {
    "plain": [Row(0), Row(1)],
    "language.0": [write("language.0.mlp.act", Zero(), 3)] * 9,
    "language.1": [write("language.1.mlp.act", Zero(), 3)] * 9,
    "vision.1": [write("vision.1.mlp.act", Zero(), 3)] * 9,
    "swaps": [write("language.0.resid_post", Swap(1))] * 3,
    "everything": [
        Row(2),
        write("vision.1.mlp.act", Zero()),
        *[write("language.1.mlp.act", Swap(1), 3)] * 9,
    ],
}


@pytest.mark.parametrize("name", PLANS)
def test_the_operations_that_are_told_are_those_that_torch_counts(llava: Engine, name: str) -> None:
    engine, plan = fresh(llava), Plan(STIMULI, PLANS[name])
    first = engine.explain(plan).flops
    assert engine.passes == 0
    assert first == measured(engine, plan)
    again = engine.explain(plan)
    assert again.flops == measured(engine, plan) < first
    assert not again.made and again.reused


@pytest.mark.parametrize("family", ["clip", "llava_next", "qwen", "blip"])
def test_a_plan_of_another_family_is_counted_too(request: Any, family: str) -> None:
    engine = fresh(request.getfixturevalue(family))
    plan = Plan(STIMULI, [write("language.1.mlp.act", Zero(), 3)])
    assert engine.explain(plan).flops == pytest.approx(measured(engine, plan), rel=0.01)


def test_an_explanation_says_where_rows_start_and_what_is_there_already(llava: Engine) -> None:
    engine = fresh(llava)
    rows = [Row(0), *[write("language.1.mlp.act", Zero())] * 8, *[write("language.0.mlp.act", Swap(1))] * 8]
    plan = Plan(STIMULI, rows)
    assert str(engine.explain(plan)).startswith(
        "8 rows from `language.0.resid_pre`; 8 rows from `language.1.resid_pre`; "
        "1 row from `language.1.resid_post`; 1 untouched row for swaps; "
        "4 untouched rows from the inputs to `language.0.resid_pre`; "
    )
    engine.run(plan)
    told = str(engine.explain(plan))
    assert "untouched rows from" not in told
    assert "reused: streams at `language.0.resid_pre`" in told


def test_explaining_refuses_what_running_refuses(llava: Engine) -> None:
    with pytest.raises(ValueError, match="a plan needs at least one row"):
        fresh(llava).explain(Plan(STIMULI, []))
    assert torch.is_grad_enabled()


def test_an_attention_that_shows_no_weights_is_replaced_and_that_is_said(llava: Engine, blip: Engine) -> None:
    plan = Plan(STIMULI, [Row(0)], (Site("attn.pattern", "language", 0),))
    told = fresh(llava).explain(plan)
    assert told.opened == {"language": "sdpa"}
    assert "attention of `language` is computed in the open, since `sdpa` shows no weights" in str(told)
    assert not fresh(blip).explain(plan).opened and not fresh(llava).explain(Plan(STIMULI, [Row(0)])).opened


CROSSED = {
    "cross": ([write("cross.1.attn.z", Zero(), 1)] * 9, "question.1.resid_pre"),
    "recall": ([write("recall.0.attn.z", Zero(), 1)] * 9, "question.1.resid_post"),
    "vision": ([write("vision.1.mlp.act", Zero(), 1)] * 9, "vision.1.resid_pre"),
    "both": (
        [write("vision.1.mlp.act", Zero()), *[write("question.1.mlp.act", Zero(), 3)] * 9],
        "question.1.resid_pre",
    ),
}


@pytest.mark.parametrize("name", CROSSED)
def test_rows_of_cross_attention_start_in_the_tower_that_they_change(blip: Engine, name: str) -> None:
    """The decoder, one position long, runs whole; beside rows that change the vision side, pictures are seen anew."""
    rows, start = CROSSED[name]
    engine, plan = fresh(blip), Plan(STIMULI, rows)
    first = engine.explain(plan)
    assert first.rows[parse_site(start)] == 9
    assert first.flops == pytest.approx(measured(engine, plan), rel=0.01)
    again = engine.explain(plan)
    assert again.flops == pytest.approx(measured(engine, plan), rel=0.01) and again.flops < first.flops
