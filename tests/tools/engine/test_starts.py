"""A row starts where it first differs from its untouched run, with the numbers that it has from its inputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.tools.lively import QUESTIONS, asked, lively
from tools.engine.engine import Engine
from tools.engine.plan import (
    Add,
    Apply,
    Intervention,
    Knockout,
    Mean,
    Outcome,
    Plan,
    Row,
    Scale,
    Swap,
    Value,
    Zero,
)
from tools.meter import metered
from tools.stimuli import Stimulus
from tools.targets.batch import Space
from tools.targets.decoder import FEWEST
from tools.targets.sites import LAYER_PLACES, Site, parse_site

STIMULI = asked(*QUESTIONS)


def fresh(engine: Engine, **settings: Any) -> Engine:
    """An engine on the same target that has run nothing."""
    return Engine(engine.target, adapter=engine.adapter, **settings)


def from_inputs(engine: Engine, plan: Plan) -> Outcome:
    """The plan by an engine that may keep nothing, so that every row runs from its inputs."""
    slow = fresh(engine, kept=0)
    assert set(slow.explain(plan).rows) == {None}
    return slow.run(plan)


def write(site: Site | str, value: Value, index: int | None = None, positions: Any = "all") -> Row:
    where = parse_site(site) if isinstance(site, str) else site
    return Row(0, (Intervention(where, index, positions, value),))


@contextmanager
def counted(engine: Engine, *names: str) -> Iterator[Counter[str]]:
    """Rows that pass each module while the context lasts; names as in `language.0` or `embeddings`."""
    inner: Any = engine.target.model.get_submodule("model")
    places = {
        "pixels": inner.vision_tower.embeddings,
        "words": inner.get_input_embeddings(),
        **{f"vision.{number}": layer for number, layer in enumerate(inner.vision_tower.encoder.layers)},
        **{f"language.{number}": layer for number, layer in enumerate(inner.language_model.layers)},
    }
    passed: Counter[str] = Counter()

    def hook(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def count(_: nn.Module, __: Any, output: torch.Tensor) -> None:
            passed[name] += len(output)

        return count

    hooks = [places[name].register_forward_hook(hook(name)) for name in names or places]
    try:
        yield passed
    finally:
        for one in hooks:
            one.remove()


def test_from_its_start_a_row_gives_what_it_gives_from_its_inputs_at_every_site(engine: Engine) -> None:
    """One plan a site, so that no row starts earlier than it must; rows are padded, means and swaps among them."""
    for site in engine.adapter.sites():
        rows = [Row(number, write(site, Scale(-1.5)).interventions) for number in range(4)]
        rows += [write(site, Swap(1)), write(site, Zero(), 1), Row(3)]
        if site.tower is not None and site.place == "attn.pattern":
            rows.append(Row(2, (), (Knockout(site.layer or 0, 1, "all", (0,), site.tower),)))
        plan = Plan(STIMULI, rows, (site,))
        found, expected = fresh(engine).run(plan), from_inputs(engine, plan)
        assert (found.logits - expected.logits).abs().max() < 1e-5, site
        assert _apart(found, expected, site, engine.adapter.tap(site).space) < 1e-5, site
        assert found.forwards == expected.forwards == len(rows) + 1


def _apart(found: Outcome, expected: Outcome, site: Site, space: Space) -> float:
    """At positions that are not padding, whose values nobody reads."""
    one, other = found.reads[site], expected.reads[site]
    if site.place == "attn.pattern":
        one, other = one.transpose(1, 2), other.transpose(1, 2)
    real = expected.batch.where(space, "all")
    return float((one[real] - other[real]).abs().max())


def test_rows_of_one_plan_start_each_where_it_must_and_come_back_in_their_order(llava: Engine) -> None:
    mean = llava.mean(parse_site("language.1.mlp.act"), STIMULI)
    rows = [
        write("logits", Add(torch.ones(1)), 3),
        write("language.1.mlp.act", Mean(mean)),
        write("language.0.attn.z", Zero(), 2),
        Row(2),
        write("vision.1.mlp.act", Zero()),
        write("embed", Scale(0.5), positions="visual"),
        Row(1, (), (Knockout(1, None, "answer", "visual"),)),
        write("connector.out", Scale(2.0)),
        write("vision.2.resid_pre", Zero()),
        Row(3, write("language.1.resid_mid", Zero(), positions=(0,)).interventions),
    ]
    plan = Plan(STIMULI, rows)
    engine = fresh(llava, rows_at_once=1)
    expected = from_inputs(llava, plan).logits
    assert (engine.run(plan).logits - expected).abs().max() < 1e-5
    assert (fresh(llava).run(plan).logits - expected).abs().max() < 1e-5
    assert {str(start): count for start, count in engine.explain(plan).rows.items()} == {
        "None": 1,  # the connector reads nothing of the last vision layer
        "vision.1.resid_pre": 1,
        "vision.1.resid_post": 1,
        "language.0.resid_pre": 2,
        "language.1.resid_pre": 3,
        "language.1.resid_post": 2,
    }


def test_layers_before_a_rows_start_do_not_run_for_it(llava: Engine) -> None:
    engine = fresh(llava)
    plan = Plan(STIMULI, [write("language.1.mlp.act", Zero(), number) for number in range(16)])
    with counted(engine) as first:
        engine.run(plan)
    assert first["language.0"] == first["vision.0"] == len(STIMULI)
    assert first["language.1"] == 16
    with counted(engine) as again:
        engine.run(plan)
    assert again == {"language.1": 16}


def test_a_vision_row_starts_inside_the_vision_tower(llava: Engine) -> None:
    engine = fresh(llava)
    plan = Plan(STIMULI, [write("vision.1.mlp.act", Zero(), number) for number in range(16)])
    engine.run(plan)
    with counted(engine) as again:
        engine.run(plan)
    assert again == {"vision.1": 16, "words": 16, "language.0": 16, "language.1": 16}


def test_untouched_rows_that_were_run_before_pass_no_layer(llava: Engine) -> None:
    engine = fresh(llava)
    first = engine.plain(STIMULI).logits
    with counted(engine) as again, metered() as meter:
        found = engine.plain(STIMULI).logits
    assert not again and torch.equal(found, first)
    assert meter.rows == len(STIMULI)


def test_a_later_layers_stream_is_made_from_the_last_one_that_is_there(llava: Engine) -> None:
    engine = fresh(llava)
    engine.run(Plan(STIMULI, [write("language.0.attn.q", Zero())]))
    with counted(engine) as passed:
        engine.run(Plan(STIMULI, [write("language.1.attn.q", Zero())]))
    assert passed == {"language.0": len(STIMULI), "language.1": 1}


def test_what_swaps_take_and_means_run_no_further_than_what_is_read(llava: Engine) -> None:
    engine = fresh(llava)
    with counted(engine) as passed:
        engine.mean(parse_site("language.0.mlp.act"), STIMULI)
    assert passed["language.0"] == len(STIMULI) and "language.1" not in passed
    with counted(engine) as passed:
        engine.run(Plan(STIMULI, [write("vision.0.attn.z", Swap(1))]))
    assert passed == {
        "pixels": len(STIMULI),
        "vision.0": 1 + FEWEST,  # one that the swap takes from; of the row itself as many as a product needs
        "vision.1": FEWEST,
        "words": FEWEST,
        "language.0": FEWEST,
        "language.1": FEWEST,
    }


def test_the_layers_of_a_target_are_its_own_after_a_run(engine: Engine) -> None:
    before = [name for name, _ in engine.target.model.named_modules()]
    sites = [parse_site("language.1.resid_post"), parse_site("language.0.resid_pre")]
    fresh(engine).run(Plan(STIMULI, [write(site, Zero()) for site in sites]))
    assert [name for name, _ in engine.target.model.named_modules()] == before


def test_the_layers_of_a_target_are_its_own_after_an_error_half_way(engine: Engine) -> None:
    def stop(_: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("stopped")

    before = [name for name, _ in engine.target.model.named_modules()]
    with pytest.raises(RuntimeError, match="stopped"):
        fresh(engine).run(Plan(STIMULI, [write("language.1.mlp.act", Apply(stop))]))
    assert [name for name, _ in engine.target.model.named_modules()] == before


def test_no_more_is_kept_than_was_allowed(llava: Engine) -> None:
    """Of two sets of stimuli there is room for one; what is asked for again is made again, and is the same."""
    plans = [
        Plan(asked(*QUESTIONS, seed=seed), [write("language.1.mlp.act", Zero(), seed)]) for seed in (1, 2)
    ]
    size = _kept_bytes(llava, plans[0])
    engine = fresh(llava, kept=size + size // 2)
    expected = [from_inputs(llava, plan).logits for plan in plans]
    for number in (0, 1, 0, 0):
        assert (engine.run(plans[number]).logits - expected[number]).abs().max() < 1e-5
        assert engine._untouched._kept.bytes <= size + size // 2
    with counted(engine) as passed:
        engine.run(plans[0])
    assert passed == {"language.1": 1}


def _kept_bytes(llava: Engine, plan: Plan) -> int:
    engine = fresh(llava)
    engine.run(plan)
    return engine._untouched._kept.bytes


def test_a_decoder_whose_layers_attend_in_two_ways_runs_whole(llava: Engine) -> None:
    config = llava.target.model.config.text_config
    adapter = type(llava.adapter)(llava.target)  # type: ignore[call-arg]
    config.layer_types = ["full_attention", "sliding_attention"]
    try:
        assert {site.tower for site in adapter.entrances()} == {"vision"}
        assert adapter.entrance(parse_site("language.1.mlp.act")) is None
    finally:
        del config.layer_types


def test_a_target_that_is_changed_under_its_engine_is_run_anew(llava_folder: Path) -> None:
    engine = Engine(lively(llava_folder))
    plan = Plan(STIMULI, [Row(0), write("language.1.mlp.act", Zero(), 3)])
    before = engine.run(plan).logits
    with torch.no_grad():
        engine.target.model.get_submodule("model.language_model.layers.0.mlp.down_proj").weight.mul_(2)  # type: ignore[operator]
    after = engine.run(plan).logits
    assert (after - before).abs().max() > 1e-3
    assert (after - from_inputs(engine, plan).logits).abs().max() < 1e-5


@pytest.mark.parametrize("replace", ["a new parameter", "new data"])
def test_a_weight_that_is_replaced_is_run_anew_however_often(llava_folder: Path, replace: str) -> None:
    engine = Engine(lively(llava_folder))
    plan = Plan(STIMULI, [write("language.1.mlp.act", Zero(), 3)])
    layer: Any = engine.target.model.get_submodule("model.language_model.layers.0.mlp.down_proj")
    for factor in (1.0, 2.0, 0.5, 3.0, 0.2, 4.0):
        weight = layer.weight.detach() * factor
        if replace == "new data":
            layer.weight.data = weight
        else:
            layer.weight = nn.Parameter(weight)
        assert (engine.run(plan).logits - from_inputs(engine, plan).logits).abs().max() < 1e-5


def test_a_question_of_other_words_is_another_stimulus(llava: Engine) -> None:
    engine = fresh(llava)
    image = STIMULI[0].image
    one, other = (engine.plain([Stimulus("same", image, question)]).logits for question in QUESTIONS[:2])
    assert (one - other).abs().max() > 1e-3


def test_every_place_of_a_layer_has_the_entrance_before_it(llava: Engine) -> None:
    for tower, last in (("vision", 1), ("language", 1)):
        for layer in range(last + 1):
            for place in LAYER_PLACES:
                found = llava.adapter.entrance(Site(place, tower, layer))  # type: ignore[arg-type]
                assert str(found) == f"{tower}.{layer}.resid_pre"
