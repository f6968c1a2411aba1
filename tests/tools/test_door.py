"""The door: words are checked, what is on record is not measured again, what is measured is charged and recorded."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from store.errors import PlannerError, UserError
from store.recorder import Turn
from tests.tools.small import small_context
from tools.budget import Budget, BudgetReached
from tools.context import Memory, ToolContext
from tools.door import call, check, code_version
from tools.meter import metered
from tools.tool import SUMMARY, TOOLS

NEURON = "language.0.mlp.3"


@pytest.fixture(scope="module")
def context(llava_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = small_context(llava_folder, tmp_path_factory.mktemp("door"))
    yield made
    made.store.close()


@pytest.fixture
def turn(context: ToolContext) -> Turn:
    run = context.store.recorder.open_run("direct", context.target.fingerprint, {}, 0, "test")
    return Turn(run, NEURON, 0, 0)


def test_an_unknown_tool_is_answered_with_the_nearest_name(context: ToolContext, turn: Turn) -> None:
    with pytest.raises(PlannerError, match="did you mean `top_exemplars`"):
        call(context, turn, "top_exemplar", {})


def test_a_missing_and_a_misspelt_argument_are_both_named() -> None:
    with pytest.raises(PlannerError) as refused:
        check("top_exemplars", {"componnt": NEURON})
    assert "`component` is missing" in refused.value.message
    assert "there is no `componnt` (did you mean `component`?)" in refused.value.message


def test_an_argument_out_of_range_is_told_with_its_value_and_the_rule() -> None:
    with pytest.raises(PlannerError, match=r"`k` = `99`: input should be less than or equal to 24"):
        check("top_exemplars", {"component": NEURON, "k": 99})


def test_an_address_past_the_end_comes_back_to_the_planner(context: ToolContext, turn: Turn) -> None:
    with pytest.raises(PlannerError, match=r"did you mean \"language.1.mlp.3\""):
        call(context, turn, "top_exemplars", {"component": "language.9.mlp.3"})
    assert context.store.recorder.find(turn) is None


def test_a_phrase_that_the_judge_does_not_know_comes_back_to_the_planner(
    context: ToolContext, turn: Turn
) -> None:
    with pytest.raises(PlannerError, match="`mauve` is not a known word; say red or blue"):
        call(context, turn, "activations", {"component": NEURON, "concept": "mauve"})


def test_what_the_user_must_mend_is_no_planners_mistake(context: ToolContext, turn: Turn) -> None:
    class Broken:
        def present(self, images: Any, phrases: Any) -> Any:
            raise UserError("`photo.png` is broken", kind="image")

    with pytest.raises(UserError, match="is broken"):
        call(
            replace(context, judge=Broken(), memory=Memory()),
            turn,
            "activations",
            {"component": NEURON, "concept": "red"},
        )


def test_a_call_is_recorded_with_seed_fingerprint_code_and_cost(context: ToolContext, turn: Turn) -> None:
    experiment = call(context, turn, "top_exemplars", {"component": NEURON, "k": 3})
    stored = context.store.queries.experiment(experiment.number)
    assert stored == experiment
    assert (stored.seed, stored.fingerprint, stored.code) == (0, context.target.fingerprint, code_version())
    assert stored.result["cost"]["forwards"] > 0
    assert stored.arguments["reading"] == {"sign": "+", "scope": "visual"}


def test_a_turn_on_record_is_read_and_not_measured_again(context: ToolContext, turn: Turn) -> None:
    first = call(context, turn, "top_exemplars", {"component": NEURON, "k": 3})
    with metered() as meter:
        assert call(context, turn, "top_exemplars", {"component": NEURON, "k": 3}) == first
    assert meter.rows == 0


def test_a_turn_on_record_with_another_call_is_a_bug(context: ToolContext, turn: Turn) -> None:
    call(context, turn, "top_exemplars", {"component": NEURON, "k": 3})
    with pytest.raises(RuntimeError, match="on record as top_exemplars"):
        call(context, turn, "top_exemplars", {"component": NEURON, "k": 4})


def test_a_spent_budget_refuses_before_anything_is_measured(context: ToolContext, turn: Turn) -> None:
    poor = replace(context, budget=Budget(calls=1), memory=Memory())
    call(poor, turn, "top_exemplars", {"component": NEURON, "k": 3})
    with metered() as meter, pytest.raises(BudgetReached, match="budget of 1 calls"):
        call(poor, replace(turn, call=1), "top_exemplars", {"component": NEURON, "k": 3})
    assert meter.rows == 0


def test_a_resumed_run_pays_again_for_what_it_finds_but_only_once(context: ToolContext, turn: Turn) -> None:
    words = {"component": NEURON, "k": 3}
    first = replace(context, budget=Budget(), memory=Memory())
    call(first, turn, "top_exemplars", words)
    resumed = replace(context, budget=Budget(), memory=Memory())
    for _ in range(2):
        call(resumed, turn, "top_exemplars", words)
    assert (resumed.budget.spent_calls, resumed.budget.spent_forwards) == (
        1,
        first.budget.spent_forwards,
    )


def test_two_contexts_of_one_seed_measure_the_same(
    context: ToolContext, turn: Turn, llava_folder: Path, tmp_path: Path
) -> None:
    words = {"component": NEURON, "concept": "red", "n": 16}
    mine = call(context, turn, "activations", words).result
    again = call(replace(context, memory=Memory()), replace(turn, call=1), "activations", words).result
    mine.pop("cost"), again.pop("cost")
    assert mine == again


def test_every_tool_has_a_description_a_schema_and_described_components() -> None:
    for tool in TOOLS.values():
        schema = tool.schema()["function"]
        assert len(schema["description"]) > 80, tool.name
        assert schema["parameters"]["additionalProperties"] is False
        assert "\n" not in tool.about
        json.dumps(schema)


def test_summaries_have_room_for_what_planners_need() -> None:
    assert SUMMARY == 400


def test_tools_are_listed_without_loading_a_models_libraries() -> None:
    told = "import tools.methods, sys; print('torch' in sys.modules, 'transformers' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]
