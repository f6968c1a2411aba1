"""Rows that don't fit into memory together run in smaller parts; one that doesn't fit alone is refused in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from store.errors import UserError
from tests.tools.engine.test_starts import fresh, write
from tests.tools.lively import QUESTIONS, asked
from tools.engine.engine import Engine
from tools.engine.plan import Plan, Row, Scale, Zero

STIMULI = asked(*QUESTIONS)
LANGUAGE = [write("language.0.mlp.act", Zero(), unit, "answer") for unit in range(9)]
VISION = [write("vision.0.mlp.act", Zero(), unit) for unit in range(9)]


@contextmanager
def room_for(
    engine: Engine, rows: int, error: type[RuntimeError] = torch.OutOfMemoryError
) -> Iterator[list[int]]:
    """A device on which the last decoder layer runs at most so many rows; gives how many it was asked to run."""
    asked: list[int] = []
    layer: Any = engine.target.model.get_submodule("model.language_model.layers.1")

    def check(_: Any, given: tuple[torch.Tensor, ...], named: dict[str, torch.Tensor]) -> None:
        asked.append(len(given[0] if given else named["hidden_states"]))
        if asked[-1] > rows:
            raise error("DefaultCPUAllocator: can't allocate memory: you tried to allocate 12345 bytes.")

    hook = layer.register_forward_pre_hook(check, with_kwargs=True)
    try:
        yield asked
    finally:
        hook.remove()


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, RuntimeError])
@pytest.mark.parametrize("rows", [LANGUAGE, VISION], ids=["packs", "blocks"])
def test_rows_that_do_not_fit_together_run_in_halves(llava: Engine, rows: list[Row], error: Any) -> None:
    plan = Plan(STIMULI, rows)
    expected = fresh(llava).run(plan).logits
    with room_for(llava, 4, error) as asked:
        found = fresh(llava).run(plan)
    assert max(asked) > 4 > min(asked) - 1
    assert (found.logits - expected).abs().max() < 1e-5


def test_what_is_read_is_read_once_for_every_row(llava: Engine) -> None:
    site = Plan(
        STIMULI,
        [Row(number % 4, write("language.0.mlp.act", Scale(2.0)).interventions) for number in range(9)],
    )
    plan = Plan(STIMULI, site.rows, (site.rows[0].interventions[0].site,))
    expected = fresh(llava).run(plan)
    with room_for(llava, 5):
        found = fresh(llava).run(plan)
    for place, read in found.reads.items():
        assert read.shape == expected.reads[place].shape
        assert (read - expected.reads[place])[found.batch.real].abs().max() < 1e-5


def test_a_row_that_does_not_fit_alone_is_refused_with_what_it_asked_for(llava: Engine) -> None:
    with room_for(llava, 0), pytest.raises(UserError, match="tried to allocate 12345 bytes") as refused:
        fresh(llava).run(Plan(STIMULI, LANGUAGE))
    assert refused.value.kind == "memory" and "bfloat16" in refused.value.hint


def test_other_errors_are_not_taken_for_a_lack_of_memory(llava: Engine) -> None:
    layer: Any = llava.target.model.get_submodule("model.language_model.layers.1")

    def stop(*_: Any) -> None:
        raise RuntimeError("something else")

    hook = layer.register_forward_pre_hook(stop)
    try:
        with pytest.raises(RuntimeError, match="something else"):
            fresh(llava).run(Plan(STIMULI, LANGUAGE))
    finally:
        hook.remove()
