"""`make_pairs`: both sides of pairs are measured, on the component and on others; pairs that fail are counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ttest_rel

from store.errors import PlannerError
from store.recorder import Turn
from tests.tools.methods.conftest import Caller
from tests.tools.small import SquareEditor
from tools.context import ToolContext
from tools.door import call
from tools.methods.contrasts import paired, paired_p
from tools.methods.pairing import pairs_for
from tools.stimuli import Change, Pair, Stimulus

NEURON = "language.0.mlp.3"


def test_the_effect_is_the_mean_difference_in_standard_deviations(context: ToolContext, do: Caller) -> None:
    found = do("make_pairs", component=NEURON, concept="red", n=12).result
    made = pairs_for(context, "red", "add", 12).pairs
    address = context.address(NEURON)
    sides = [
        context.activations.pooled([address], [getattr(pair, side) for pair in made])[0, :, 0]
        for side in ("with_", "without")
    ]
    sd = context.index.entry(address).pools["visual.max"].sd
    effect = found["quantities"]["effect"]
    assert effect["value"] == pytest.approx(float((sides[0] - sides[1]).mean() / sd), rel=1e-4)
    assert effect["n"] == 12 and effect["control"] > 0
    assert found["p"] == pytest.approx(ttest_rel(*sides).pvalue, rel=1e-3)
    assert set(found["pairs"][0]) >= {"concept", "without", "with", "changed", "a_without", "a_with"}


@pytest.mark.parametrize("change", ["add", "remove", "swap"])
def test_every_change_keeps_the_concept_on_the_side_with_it(context: ToolContext, change: Change) -> None:
    for pair in pairs_for(context, "red", change, 6).pairs:
        with_, without = context.judge.present([pair.with_.image, pair.without.image], ["red"])[:, 0]
        assert with_ > 0.5 > without


def test_pairs_that_the_judge_does_not_see_are_rejected_and_counted(context: ToolContext) -> None:
    class Idle(SquareEditor):
        def pair(self, stimulus: Stimulus, concept: str, change: Change, seed: int, /) -> Pair | None:
            made = super().pair(stimulus, concept, change, seed)
            number = int(stimulus.key.rstrip("?").rpartition("/")[2])
            return made if made is None or number % 2 else Pair(concept, stimulus, stimulus, "nothing")

    made = pairs_for(replace(context, editor=Idle()), "red", "add", 10)
    assert made.rejected > 0 and len(made.pairs) >= 4


def test_without_an_editor_lookalikes_are_found_and_said_to_be_found(context: ToolContext) -> None:
    run = context.store.recorder.open_run("direct", context.target.fingerprint, {}, 0, "test")
    bare = replace(context, editor=None)
    result = call(
        bare, Turn(run, NEURON, 0, 0), "make_pairs", {"component": NEURON, "concept": "red", "n": 8}
    ).result
    assert result["found"] is True
    assert "found, not made" in result["warnings"][0]


def test_a_concept_that_nobody_can_paint_comes_back_to_the_planner(do: Caller) -> None:
    with pytest.raises(PlannerError, match="`mauve`"):
        do("make_pairs", component=NEURON, concept="mauve")


def test_a_change_that_no_picture_allows_says_what_to_try(context: ToolContext, do: Caller) -> None:
    with pytest.raises(PlannerError, match=r"try another change|can't be painted"):
        do("make_pairs", component=NEURON, concept="square", change="add")


def test_made_pictures_can_be_named_afterwards(do: Caller) -> None:
    made = do("make_pairs", component=NEURON, concept="red", n=6).result["pairs"][0]
    row = do("activations", component=NEURON, images=[made["with_key"]]).result["values"][0]
    assert row["key"] == made["with_key"]


def test_pictures_are_generated_and_edited_to_order(do: Caller) -> None:
    made = do("generate", component=NEURON, prompt="red square").result
    assert made["picture"]["image"] and "height" in made["quantities"]
    edited = do("edit", component=NEURON, image=1, instruction="make it red").result
    assert edited["before"]["key"] == "train/1?"
    assert np.isfinite(edited["quantities"]["change"]["value"])


def test_an_instruction_that_is_not_understood_comes_back(do: Caller) -> None:
    with pytest.raises(PlannerError, match="say `make it red`"):
        do("edit", component=NEURON, image=1, instruction="turn it upside down")


def test_sealed_pictures_are_not_edited(do: Caller) -> None:
    with pytest.raises(PlannerError, match="sealed"):
        do("edit", component=NEURON, image="test/1", instruction="make it red")


@pytest.mark.parametrize("editor", [True, False])
def test_skipped_pairs_are_those_of_the_earlier_call(context: ToolContext, editor: bool) -> None:
    here = context if editor else replace(context, editor=None)

    def keys(n: int, skip: int) -> list[str]:
        return [pair.with_.key for pair in pairs_for(here, "red", "add", n, skip=skip).pairs]

    assert keys(9, 0) == keys(4, 0) + keys(5, 4)


def test_pairs_that_never_differ_have_p_one_and_no_effect() -> None:
    assert paired_p(np.zeros(5)) == 1
    assert paired(np.zeros(5), 1.0, seed=0).value == 0


@pytest.mark.parametrize("editor", [True, False])
def test_what_is_given_holds_on_both_sides_of_every_pair(context: ToolContext, editor: bool) -> None:
    here = context if editor else replace(context, editor=None)
    for pair in pairs_for(here, "red", "add", 6, given="!blue").pairs:
        blue = context.judge.present([pair.with_.image, pair.without.image], ["blue"])[:, 0]
        assert (blue < 0.5).all()


def test_a_condition_under_which_no_pairs_come_about_is_told(do: Caller) -> None:
    with pytest.raises(PlannerError, match="where `red & blue` holds"):
        do("make_pairs", component=NEURON, concept="red", given="red & blue")
