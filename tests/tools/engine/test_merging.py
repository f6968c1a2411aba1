"""Plans of calls that are at work at once run as one, and come out as they would alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np
import torch
from PIL import Image

from store.address import Address
from store.errors import UserError
from tests.tools.engine.test_starts import STIMULI, fresh, write
from tools.activations import ModelActivations
from tools.engine.engine import Engine
from tools.engine.plan import Knockout, Outcome, Plan, Row, Scale, Swap, Zero
from tools.meter import metered
from tools.rounds import Rounds
from tools.stimuli import Stimulus
from tools.targets.sites import Site

EMBED = Site("embed")
Told = tuple[Outcome | Exception, int]


def side_by_side(engine: Engine, plans: Sequence[Plan]) -> list[Told]:
    """What each plan's call was told, and how many rows it counted."""
    rounds, found = Rounds(), dict[int, Told]()

    def call(number: int) -> None:
        with metered() as meter:
            try:
                outcome: Outcome | Exception = engine.run(plans[number])
            except UserError as error:
                outcome = error
        found[number] = outcome, meter.rows

    for number in range(len(plans)):
        rounds.start(partial(call, number))
    while len(rounds):
        rounds.turn()
    return [found[number] for number in range(len(plans))]


def one_by_one(engine: Engine, plans: Sequence[Plan]) -> list[Outcome]:
    return [engine.run(plan) for plan in plans]


def test_merged_plans_come_out_as_alone_in_fewer_passes_and_count_the_same_rows(engine: Engine) -> None:
    sites = [site for site in engine.adapter.sites() if site.tower and site.place == "mlp.act"]
    plans = [Plan(STIMULI, [write(site, Zero(), index) for index in range(3)]) for site in sites]
    plans += [Plan(STIMULI, [write(site, Swap(1), 0)]) for site in sites]
    alone, beside = fresh(engine), fresh(engine)
    expected = one_by_one(alone, plans)
    for outcome, (found, rows) in zip(expected, side_by_side(beside, plans), strict=True):
        assert isinstance(found, Outcome)
        assert torch.allclose(found.logits, outcome.logits, atol=1e-5)
        assert found.forwards == outcome.forwards == rows
    assert beside.passes < alone.passes


def test_what_is_read_goes_to_who_read_it(engine: Engine) -> None:
    early, late = (EMBED, Site("logits"))
    plans = [
        Plan(STIMULI[:2], [Row(1)], (early,)),
        Plan(STIMULI[:2], [Row(0), Row(1)], (early,)),
        Plan(STIMULI[:2], [Row(0)], (early, late)),
    ]
    plans = [plan for plan in plans if set(plan.reads) <= set(engine.adapter.sites())]
    for outcome, (found, _) in zip(
        one_by_one(fresh(engine), plans), side_by_side(fresh(engine), plans), strict=True
    ):
        assert isinstance(found, Outcome) and found.reads.keys() == outcome.reads.keys()
        for site, values in outcome.reads.items():
            assert torch.allclose(found.reads[site], values, atol=1e-5)
        assert len(found.batch) == len(outcome.logits)


def test_cuts_and_writes_of_different_layers_share_a_pass(llava: Engine) -> None:
    plans = [
        Plan(STIMULI[:1], [Row(0, (), (Knockout(layer, None, "answer", "visual"),)) for _ in range(2)])
        for layer in range(2)
    ]
    plans.append(Plan(STIMULI[:1], [write("language.1.resid_pre", Scale(2.0))]))
    for outcome, (found, _) in zip(
        one_by_one(fresh(llava), plans), side_by_side(fresh(llava), plans), strict=True
    ):
        assert isinstance(found, Outcome)
        assert torch.allclose(found.logits, outcome.logits, atol=1e-5)


def test_a_plan_that_does_not_fit_fails_for_its_own_call_alone(llava: Engine) -> None:
    good = Plan(STIMULI, [write("language.0.mlp.act", Zero(), 0)])
    bad = Plan(STIMULI, [write("language.0.mlp.act", Zero(), 10**6)])
    first, second, third = side_by_side(fresh(llava), [good, bad, good])
    assert isinstance(second[0], UserError) and second[1] == 0
    (expected,) = one_by_one(fresh(llava), [good])
    for told, rows in (first, third):
        assert isinstance(told, Outcome) and rows == expected.forwards
        assert torch.allclose(told.logits, expected.logits, atol=1e-5)


def test_plans_on_other_stimuli_stay_apart(llava: Engine) -> None:
    plans = [Plan(STIMULI[:2], [Row(0), Row(1)]), Plan(STIMULI[2:4], [Row(0), Row(1)])]
    for outcome, (found, _) in zip(
        one_by_one(fresh(llava), plans), side_by_side(fresh(llava), plans), strict=True
    ):
        assert isinstance(found, Outcome) and torch.allclose(found.logits, outcome.logits, atol=1e-5)


def test_activations_that_fail_in_company_fail_for_their_own_call_alone(llava: Engine) -> None:
    source, address = ModelActivations(llava.target, llava.adapter), Address("language", 0, "mlp", 0)
    nothing = Stimulus("odd", Image.new("RGB", (32, 32)), "what ?")
    unreadable = [replace(nothing, image=cast(Image.Image, None))]
    rounds, found = Rounds(), dict[int, object]()

    def call(number: int, stimuli: Sequence[Stimulus]) -> None:
        try:
            found[number] = source.pooled([address], stimuli)
        except Exception as error:
            found[number] = error

    for number, stimuli in enumerate((STIMULI[:2], unreadable, STIMULI[2:])):
        rounds.start(partial(call, number, stimuli))
    while len(rounds):
        rounds.turn()
    expected = source.pooled([address], STIMULI)
    assert isinstance(found[1], Exception)
    np.testing.assert_allclose(np.concatenate([found[0], found[2]], axis=1), expected, atol=1e-5)
