"""`ablate` and `patch`: what a component's silence and its transplant do, on planted cases and by the definition."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from store.address import Address
from store.errors import PlannerError
from store.values import Estimate
from tests.tools.methods.conftest import Caller
from tools.context import ToolContext
from tools.engine.plan import Intervention, Plan, Row, Swap, Zero
from tools.methods.ablate import KindEffect, _overall, _verdicts
from tools.methods.answers import asked, margins
from tools.methods.companions import companions, random_groups
from tools.methods.contrasts import ratio_of_sums
from tools.methods.pairing import pairs_for
from tools.scoring.equivalence import Equivalence, equivalence
from tools.targets.sites import site_of

NEURON = "language.0.mlp.3"


@pytest.fixture
def unread(context: ToolContext) -> Iterator[Address]:
    """A neuron that fires and that nothing reads: its output row is zero for a while."""
    address = context.address("language.1.mlp.5")
    weight = context.target.model.get_parameter("model.language_model.layers.1.mlp.down_proj.weight")
    kept = weight.detach().clone()
    with torch.no_grad():
        weight[:, address.index] = 0
    context.memory.margins.clear()
    context.memory.means.clear()
    yield address
    with torch.no_grad():
        weight.copy_(kept)
    context.memory.margins.clear()
    context.memory.means.clear()


@pytest.fixture
def seeing(context: ToolContext) -> Iterator[None]:
    """The target's words for its two colors changed for one another: it leans to the right answers from then on."""
    head = context.target.model.get_parameter("lm_head.weight")
    places = [context.adapter.token(word) for word in ("red", "blue")]
    with torch.no_grad():
        head[places] = 3 * head[places[::-1]]
    context.memory.margins.clear()
    yield
    with torch.no_grad():
        head[places] = head[places[::-1]] / 3
    context.memory.margins.clear()


def test_the_drop_is_the_mean_loss_of_the_right_answers_margin(context: ToolContext, do: Caller) -> None:
    found = do("ablate", component=NEURON, mode="zero", n=12).result["kinds"][0]
    (questions,) = asked(context, (), 12)
    site, unit = site_of(context.address(NEURON))
    n = len(questions.stimuli)
    silent = [Row(i, (Intervention(site, unit, "all", Zero()),)) for i in range(n)]
    logits = context.engine.run(Plan(questions.stimuli, [*map(Row, range(n)), *silent])).logits
    red, blue = (context.adapter.token(word) for word in ("red", "blue"))
    lead = torch.stack([logits[:, red] - logits[:, blue], logits[:, blue] - logits[:, red]])
    own = [0 if stimulus.answer == "red" else 1 for stimulus in questions.stimuli] * 2
    margin = lead[own, range(2 * n)].double().numpy()
    assert found["drop"] == pytest.approx((margin[:n] - margin[n:]).mean(), abs=1e-5)
    assert found["n"] == n


def test_a_neuron_that_nothing_reads_is_not_necessary_and_unused_only_if_its_site_matters(
    do: Caller, unread: Address
) -> None:
    result = do("ablate", component=str(unread), mode="zero", n=24, delta=0.001).result
    assert result["necessary"] == []
    assert result["kinds"][0]["drop"] == pytest.approx(0, abs=1e-5)
    assert result["unused"] == "undetermined"
    assert "no positive control" in result["warnings"][0]


@pytest.mark.parametrize("mode", ["mean", "zero", "resample"])
@pytest.mark.parametrize("component", ["language.0.head.1", "vision.0.mlp.3"])
def test_every_mode_silences_heads_and_vision_neurons(do: Caller, component: str, mode: str) -> None:
    found = do("ablate", component=component, mode=mode, n=8).result
    assert (
        found["kinds"][0]["control_ci"][0]
        <= found["kinds"][0]["control"]
        <= found["kinds"][0]["control_ci"][1]
    )
    assert set(found["quantities"]) >= {"drop_color", "accuracy_drop_color", "largest_drop"}


def test_a_component_without_a_path_to_the_answer_is_refused_with_the_reason(do: Caller) -> None:
    for tool, more in (("ablate", {}), ("patch", {"concept": "red"})):
        with pytest.raises(PlannerError, match="can't be tested causally"):
            do(tool, component="vision.2.mlp.3", **more)


def test_an_unknown_kind_of_question_is_answered_with_those_that_are_known(do: Caller) -> None:
    with pytest.raises(PlannerError, match="`smell` is not a kind of question here"):
        do("ablate", component=NEURON, kinds=["smell"])


def test_a_second_component_of_a_site_costs_its_own_rows_alone(do: Caller) -> None:
    do("ablate", component="language.0.mlp.7", n=16)
    assert do("ablate", component="language.0.mlp.8", n=16).result["cost"]["forwards"] <= 16


def test_a_call_costs_the_same_whatever_was_measured_before(context: ToolContext, do: Caller) -> None:
    context.memory.margins.clear()
    cold = do("ablate", component=NEURON, n=16).result["cost"]["forwards"]
    assert do("ablate", component=NEURON, n=16).result["cost"]["forwards"] == cold


def verdicts(drop: Equivalence, sure: bool, *, known: bool = True, control: float = 0.05, site: float = 2.0):  # type: ignore[no-untyped-def]
    return _verdicts(drop, sure, known, Estimate(site, site - 1, site + 1, 40), Estimate(0, 0, control, 40))


def test_a_large_sure_drop_is_necessary_and_a_small_one_is_not() -> None:
    random = np.random.default_rng(0)
    large = equivalence(random.normal(1.0, 0.1, 40), 0.1)
    assert verdicts(large, True) == ("yes", "no")
    assert verdicts(large, True, control=1.5)[0] == "undetermined"
    assert verdicts(large, False) == ("undetermined", "undetermined")
    small = equivalence(random.normal(0.0, 0.01, 40), 0.1)
    assert verdicts(small, False) == ("no", "yes")
    assert verdicts(small, False, site=0.0) == ("no", "undetermined")
    wide = equivalence(random.normal(0.0, 2.0, 8), 0.1)
    assert verdicts(wide, False) == ("undetermined", "undetermined")


def test_nothing_is_necessary_for_questions_that_the_target_answers_by_chance() -> None:
    large = equivalence(np.random.default_rng(0).normal(1.0, 0.1, 40), 0.1)
    assert verdicts(large, True, known=False) == ("undetermined", "no")


def test_one_wide_interval_leaves_unused_undetermined() -> None:
    def effect(inner: tuple[float, float], unused: str) -> KindEffect:
        return KindEffect.model_construct(inner=inner, unused=unused)

    quiet = effect((-0.01, 0.02), "yes")
    assert _overall([quiet, effect((-0.01, 0.05), "undetermined")], 0.1) == "yes"
    assert _overall([quiet, effect((-0.4, 0.3), "undetermined")], 0.1) == "undetermined"
    assert _overall([quiet, effect((0.3, 0.5), "no")], 0.1) == "no"


def test_moving_a_whole_layers_stream_restores_everything(do: Caller, seeing: None) -> None:
    ratios = do("patch", component="language.0.resid", concept="blue", n=8).result["quantities"]
    assert ratios["denoising"]["value"] == pytest.approx(1.0, abs=1e-3)
    assert ratios["noising"]["value"] == pytest.approx(1.0, abs=1e-3)


def test_recovery_is_the_ratio_of_sums_over_pairs(context: ToolContext, do: Caller, seeing: None) -> None:
    result = do("patch", component=NEURON, concept="blue", n=8).result
    made = pairs_for(
        context, "blue", "swap", 8, wanted=lambda pair: pair.with_.answer != pair.without.answer, most=180
    ).pairs
    site, unit = site_of(context.address(NEURON))
    red, blue = (context.adapter.token(word) for word in ("red", "blue"))
    clean = corrupt = moved = 0.0
    for pair in made:
        rows = [Row(0), Row(1), Row(1, (Intervention(site, unit, "all", Swap(0)),))]
        logits = context.engine.run(Plan([pair.with_, pair.without], rows)).logits
        one, two, three = (logits[:, blue] - logits[:, red]).tolist()
        clean, corrupt, moved = clean + one, corrupt + two, moved + three
    assert result["quantities"]["denoising"]["value"] == pytest.approx(
        (moved - corrupt) / (clean - corrupt), abs=1e-4
    )
    assert result["pairs"][0]["answers"] == ["blue", "red"]


def test_sides_that_the_target_does_not_tell_apart_are_refused(do: Caller) -> None:
    with pytest.raises(PlannerError, match="the target hardly tells the two sides apart"):
        do("patch", component=NEURON, concept="blue", n=8)


def test_several_components_are_patched_together(do: Caller, seeing: None) -> None:
    result = do("patch", component="language.0.head.*", concept="blue", n=8).result
    assert len(result["components"]) == 4
    assert result["quantities"]["denoising"]["control"] is not None


def test_a_ratio_of_sums_holds_still_where_single_gaps_are_tiny() -> None:
    gaps = np.array([2.0, 2.0, 1e-9, 2.0])
    moved = np.stack([gaps * 0.5 + [0, 0, 0.1, 0], gaps * 0, gaps * 0])
    ratio = ratio_of_sums(moved, gaps, seed=0)
    assert ratio.value == pytest.approx(0.5, abs=0.02)
    assert ratio.ci is not None and ratio.ci[1] < 0.7 and ratio.control == 0


def test_margins_are_against_the_best_other_answer(context: ToolContext) -> None:
    (questions,) = asked(context, (), 4)
    logits = torch.zeros(len(questions.stimuli), 16)
    logits[:, questions.options[0]] = 3.0
    found = margins(logits, questions)
    first = np.array(questions.right) == questions.options[0]
    assert found.margin[first] == pytest.approx(3) and found.margin[~first] == pytest.approx(-3)
    assert found.right.tolist() == first.tolist()


def test_companions_are_the_units_of_the_site_that_correlate_most_over_all_readings(
    context: ToolContext,
) -> None:
    address = context.address(NEURON)
    pools = ("visual.max", "visual.min", "question.max", "question.min", "answer")
    found = companions(context, address, 3)
    units = [context.address(f"language.0.mlp.{unit}") for unit in range(28)]
    samples = {unit: context.index.entry(unit).pools for unit in units}

    def alike(unit: Address) -> float:
        pairs = [(samples[address][name].sample, samples[unit][name].sample) for name in pools]
        return float(np.mean([np.corrcoef(one, two)[0, 1] for one, two in pairs]))

    rest = sorted((unit for unit in units if unit != address), key=alike, reverse=True)
    assert list(found) == rest[:3]
    assert companions(context, address, 0) == ()


def test_a_group_is_silenced_together_beside_random_groups_of_its_size(
    context: ToolContext, do: Caller
) -> None:
    result = do("ablate", component=NEURON, mode="zero", n=12, group=2).result
    assert len(result["group"]) == 2 and "with 2 companions" in result["summary"]
    (questions,) = asked(context, (), 12)
    n = len(questions.stimuli)
    places = [site_of(context.address(one)) for one in (NEURON, *result["group"])]
    silent = [Row(i, tuple(Intervention(*place, "all", Zero()) for place in places)) for i in range(n)]
    found = [
        margins(context.engine.run(Plan(questions.stimuli, rows)).logits, questions).margin
        for rows in ([*map(Row, range(n))], silent)
    ]
    assert result["kinds"][0]["drop"] == pytest.approx((found[0] - found[1]).mean(), abs=1e-5)
    drawn = random_groups(
        context, [context.address(NEURON), *companions(context, context.address(NEURON), 2)], 6
    )
    assert {len(set(group)) for group in drawn} == {3}
    assert not {str(one) for group in drawn for one in group} & {NEURON, *result["group"]}


def test_a_group_that_is_the_whole_site_has_nothing_to_be_compared_with(do: Caller) -> None:
    with pytest.raises(PlannerError, match="is all of"):
        do("ablate", component="language.0.head.1", n=8, group=8)
