"""A row that differs at its last positions only runs over these alone, with the numbers of the whole row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tools.engine.test_starts import counted, fresh, from_inputs, write
from tests.tools.lively import QUESTIONS, asked, lively
from tools.engine.engine import Engine
from tools.engine.memory import memory_bytes
from tools.engine.packing import SHARING, Pack, Tail, packed
from tools.engine.plan import (
    Add,
    Apply,
    Intervention,
    Knockout,
    Mean,
    Plan,
    Row,
    Scale,
    Set,
    Swap,
    Value,
    Zero,
)
from tools.targets.decoder import FEWEST
from tools.targets.sites import LAYER_PLACES, Site, parse_site

STIMULI = asked(*QUESTIONS)


def everywhere(place: str, positions: Any = "answer") -> list[Row]:
    """A place of each layer scaled, in each stimulus four times over."""
    return [
        Row(stimulus, write(f"language.{layer}.{place}", Scale(factor), positions=positions).interventions)
        for stimulus in range(len(STIMULI))
        for layer in (1, 0)
        for factor in (-1.0, 0.3, 2.0, 3.0)
    ]


@pytest.mark.parametrize("positions", ["answer", "question", (-3, -1)])
@pytest.mark.parametrize("place", LAYER_PLACES)
def test_over_its_last_positions_a_row_gives_what_it_gives_over_all(
    asking: Engine, place: str, positions: Any
) -> None:
    plan = Plan(STIMULI, everywhere(place, positions))
    engine = fresh(asking)
    assert engine.explain(plan).short == len(plan.rows)
    expected = from_inputs(asking, plan).logits
    for _ in range(2):  # the second time from memory
        assert (engine.run(plan).logits - expected).abs().max() < 1e-5
    assert (fresh(asking, rows_at_once=1).run(plan).logits - expected).abs().max() < 1e-5


def test_every_value_is_written_where_it_belongs(asking: Engine) -> None:
    site = parse_site("language.0.resid_post")
    mean, width = asking.mean(site, STIMULI), asking.adapter.tap(site).width
    values: list[Value] = [
        Zero(),
        Mean(mean),
        Swap(1),
        Set(torch.ones(width)),
        Add(torch.ones(1)),
        Scale(2.0),
        Apply(torch.tanh),
    ]
    rows = [write(site, value, positions="answer") for value in values for _ in range(2)]
    rows += [write("logits", Add(torch.ones(1)), 3), Row(2), write(site, Zero())]
    plan = Plan(STIMULI, rows)
    assert fresh(asking).explain(plan).short == 2 * len(values)
    assert (fresh(asking).run(plan).logits - from_inputs(asking, plan).logits).abs().max() < 1e-5


def test_heads_and_edges_at_the_last_position_are_rows_of_one_decode_step(asking: Engine) -> None:
    heads = range(asking.adapter.tap(parse_site("language.0.attn.z")).heads)
    rows = [write(f"language.{layer}.attn.z", Zero(), head, "answer") for layer in (0, 1) for head in heads]
    rows += [Row(0, (), (Knockout(layer, head, "answer", "visual"),)) for layer in (0, 1) for head in heads]
    plan = Plan(STIMULI[:1], rows)
    engine = fresh(asking)
    width = engine.adapter.batch(STIMULI[:1]).width("language")
    found = engine.run(plan).logits
    assert (found - from_inputs(asking, plan).logits).abs().max() < 1e-5
    told = engine.explain(plan)
    assert (told.short, told.last, told.lacking) == (len(rows), 1, None)
    assert told.flops < told.from_inputs / width


def test_rows_pass_no_layer_before_the_one_where_they_board(llava: Engine) -> None:
    rows = [
        write(f"language.{layer}.attn.z", Zero(), head, "answer") for layer in (0, 1) for head in range(4)
    ]
    with counted(llava) as passed:
        fresh(llava).run(Plan(STIMULI[:1], rows))
    assert (passed["language.0"], passed["language.1"]) == (
        1 + 4,
        1 + 8,
    )  # the untouched run, and who is aboard


def test_the_first_time_says_what_is_remembered(llava: Engine) -> None:
    told = str(fresh(llava).explain(Plan(STIMULI[:1], everywhere("mlp.act")[:8])))
    assert told.startswith(
        "4 rows from `language.0.resid_pre`; 4 rows from `language.1.resid_pre`; "
        "8 of them over the last 1 position at most; 1 untouched row from the inputs whose keys and values are kept; "
    )


def test_one_row_alone_is_not_worth_a_memory(llava: Engine) -> None:
    plan = Plan(STIMULI, [write("language.0.mlp.act", Zero(), 1, "answer")])
    told = fresh(llava).explain(plan)
    assert (told.short, told.lacking) == (0, None)


def test_what_does_not_fit_is_not_remembered(llava: Engine) -> None:
    plan = Plan(STIMULI, everywhere("mlp.act"))
    decoder: Any = llava.adapter.decoder()
    needed = memory_bytes(decoder, llava.adapter.batch(STIMULI), 0)
    assert fresh(llava, kept=needed).explain(plan).short == len(plan.rows)
    narrow = fresh(llava, kept=needed - 1)
    assert narrow.explain(plan).short == 0
    assert (narrow.run(plan).logits - fresh(llava).run(plan).logits).abs().max() < 1e-5


def test_a_memory_takes_what_was_told(llava: Engine) -> None:
    engine = fresh(llava)
    decoder: Any = engine.adapter.decoder()
    name, batch = engine._untouched.name(STIMULI), engine.adapter.batch(STIMULI)
    line = engine.adapter.entrances()
    found = engine._untouched.memory(name, batch, line, decoder, range(4), 1)
    assert list(found) == [1]
    assert sum(part.nbytes for part in found[1]) == memory_bytes(decoder, batch, 1)


def test_a_memory_is_of_the_weights_as_they_are(llava_folder: Path) -> None:
    engine = Engine(lively(llava_folder))
    plan = Plan(STIMULI, everywhere("attn.q"))
    before = engine.run(plan).logits
    with torch.no_grad():
        engine.target.model.get_submodule("model.language_model.layers.0.self_attn.v_proj").weight.mul_(2)  # type: ignore[operator]
    after = engine.run(plan).logits
    assert (after - before).abs().max() > 1e-3
    assert (after - from_inputs(engine, plan).logits).abs().max() < 1e-5


def test_a_decoder_that_looks_back_a_window_only_runs_over_all_positions(llava: Engine) -> None:
    config = llava.target.model.config.text_config
    config.sliding_window = 4
    try:
        adapter = type(llava.adapter)(llava.target)  # type: ignore[call-arg]
        assert adapter.decoder() is None
    finally:
        del config.sliding_window


def test_a_row_hangs_on_its_company_by_rounding_at_most(llava: Engine) -> None:
    rows = everywhere("mlp.act", "question")
    together = fresh(llava).run(Plan(STIMULI, rows)).logits
    for stimulus in range(len(STIMULI)):
        own = [number for number, row in enumerate(rows) if row.stimulus == stimulus]
        few = fresh(llava).run(Plan(STIMULI, [rows[number] for number in own])).logits
        apart = (few - together[own]).abs().max()
        assert apart < 1e-5, "5e-7 of logits up to 4 on one processor, 3e-6 on another"


def test_rows_of_about_equal_length_run_together_and_board_layer_by_layer() -> None:
    tails = [
        Tail(row, 0, layer, last)
        for row, (layer, last) in enumerate([(2, 30), (0, 100), (1, 31), (0, 110), (3, 1), (0, 7)])
    ]
    found = list(packed([*tails, Tail(6, 0, 1, 2), Tail(7, 0, 1, 2)], 200, 32))
    assert [pack.rows for pack in found] == [[5, 6, 7, 4], [2, 0], [1, 3]]
    assert [pack.last for pack in found] == [7, 31, 110]


def test_stimuli_with_few_rows_share_packs() -> None:
    tails = [Tail(row, row % 3, 0, 5) for row in range(9)] + [
        Tail(9 + row, 7, 0, 5) for row in range(SHARING)
    ]
    found = [sorted(set(pack.stimuli)) for pack in packed(tails, 50, 32)]
    assert found == [[0, 1, 2], [7]]


def test_a_pack_holds_no_more_positions_than_rows_at_once_have() -> None:
    packs = list(packed([Tail(row, 0, row % 4, 25) for row in range(40)], 50, 4))
    assert [len(pack.tails) for pack in packs] == [8] * 5


def test_a_lonely_row_runs_over_a_few_positions_more() -> None:
    (pack,) = packed([Tail(0, 0, 3, 1)], 50, 4)
    assert pack == Pack((Tail(0, 0, 3, 1),), FEWEST)


def test_sites_that_are_read_are_read_over_all_positions(llava: Engine) -> None:
    site = Site("resid_post", "language", 1)
    rows = [Row(0, (Intervention(parse_site("language.0.attn.z"), 1, "answer", Zero()),))] * SHARING
    plan = Plan(STIMULI, rows, (site,))
    assert fresh(llava).explain(plan).short == 0
    found, expected = fresh(llava).run(plan), from_inputs(llava, plan)
    real = expected.batch.real
    assert (found.reads[site][real] - expected.reads[site][real]).abs().max() < 1e-5
