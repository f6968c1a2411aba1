"""`index`, `run` and `replay`: one experiment by hand, recorded like any other, and made again with equal numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiments.commands.measure import differences, read_argument
from store.database import open_store
from store.errors import MaieuticError, UsageError, UserError
from store.records import Experiment
from tests.labelling import DESCRIBED, IMAGES, Labelled, Place
from tools.budget import BudgetReached
from tools.context import ToolContext
from tools.tool import TOOLS, Result


@pytest.fixture
def place(labelled: Labelled, tmp_path: Path) -> Place:
    return Place(tmp_path, labelled.place.cache)


def test_an_experiment_by_hand_is_recorded_in_a_run_of_its_own_and_replays(place: Place) -> None:
    words = ("-s", f"component={DESCRIBED}", "-s", "concept=heart", "--images", IMAGES, "--seed", "3")
    said = place.says("run", "activations", *words, "--json")
    assert said.code == 0, said.err
    assert said.json["tool"] == "activations" and said.json["result"]["quantities"]["effect"]["value"] > 0
    with open_store(place.store) as store:
        run = store.queries.run(said.json["run"])
        assert (run.kind, run.status, run.seed, run.arguments["images"]) == ("direct", "done", 3, IMAGES)
    again = place.says("replay", f"e{said.json['number']}", "--json")
    assert (again.code, again.json["differences"]) == (0, {})
    assert again.json["again"] == said.json["number"] + 1
    twice = place.says("replay", str(again.json["again"]))
    assert (twice.code, twice.out) == (0, "e2 again as e3: the same\n")


@pytest.mark.parametrize(
    "tool", ["describe", "top_exemplars", "activations", "make_pairs", "score_description"]
)
def test_every_kind_of_experiment_of_a_labelling_run_replays(labelled: Labelled, tool: str) -> None:
    with open_store(labelled.place.store) as store:
        old = next(one for one in store.queries.experiments(labelled.run, DESCRIBED) if one.tool == tool)
    said = labelled.place.says("replay", f"e{old.number}", "--json")
    assert (said.code, said.json["differences"]) == (0, {}), said.err


def test_a_replay_that_differs_says_where_and_fails() -> None:
    old = experiment({"effect": {"value": 0.5}, "gone": {"value": 1.0}, "same": {"value": 2.0}})
    new = experiment({"effect": {"value": 0.6}, "same": {"value": 2.00001}})
    assert differences(old, new) == {"effect": [0.5, 0.6], "gone": [1.0, None]}


def test_index_says_how_much_it_holds_and_is_not_built_twice(labelled: Labelled) -> None:
    said = labelled.place.says("index", "tableau-llava", "--images", IMAGES, "--json")
    assert said.code == 0 and said.json["components"] > 1000


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "dance"], "`dance` is not a tool"),
        (["run", "top_exemplar"], "`top_exemplar` is not a tool"),
        (["run", "top_exemplars"], "`component` is missing"),
        (["run", "top_exemplars", "-s", "component"], "`component` is no argument"),
        (["run", "top_exemplars", "-s", "component=language.3.mlp.1", "-s", "k=many"], "`k` = `many`"),
        (["replay", "twelve"], "`twelve` is not an experiment"),
    ],
)
def test_words_that_fit_no_experiment_are_usage_errors(place: Place, words: list[str], told: str) -> None:
    said = place.says(*words, "--json")
    error = said.json["error"]
    assert said.code == 2 and told in error["message"] and error["hint"]
    assert not error["message"].endswith(error["hint"])


def test_what_is_not_there_fails_with_the_nearest_that_is(place: Place) -> None:
    said = place.says(
        "run", "top_exemplars", "-s", "component=language.9.mlp.1", "--images", IMAGES, "--json"
    )
    assert (said.code, said.json["error"]["hint"]) == (1, 'did you mean "language.5.mlp.1"?')
    assert place.says("replay", "e999", "--json").json["error"]["kind"] == "experiment"


@pytest.mark.parametrize(
    "error",
    [
        UserError("the disk is full", kind="disk", hint="make room"),
        MaieuticError("nobody answers", kind="endpoint", hint="look whether it runs"),
        BudgetReached("spent", kind="budget", hint="raise it"),
        RuntimeError("a mistake of ours"),
    ],
    ids=["disk", "endpoint", "budget", "bug"],
)
def test_an_experiment_that_fails_ends_its_run_as_failed_whatever_went_wrong(
    place: Place, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(context: ToolContext, arguments: Any) -> Result:
        raise error

    monkeypatch.setitem(TOOLS, "ablate", replace(TOOLS["ablate"], function=fails))
    words = ("run", "ablate", "--images", IMAGES, "-s", "component=language.3.mlp.0")
    if isinstance(error, MaieuticError):
        assert place.says(*words).code == error.exit_code
    else:
        with pytest.raises(RuntimeError, match="a mistake of ours"):
            place.says(*words)
    with open_store(place.store) as store:
        assert [run.status for run in store.queries.runs()] == ["failed"]


def test_arguments_are_json_where_they_are_json_and_words_elsewhere() -> None:
    assert read_argument("n=12") == ("n", 12)
    assert read_argument('reading={"sign": "-"}') == ("reading", {"sign": "-"})
    assert read_argument("concept=red star") == ("concept", "red star")
    assert read_argument("concept=a=b") == ("concept", "a=b")
    for text in ("concept", "=red"):
        with pytest.raises(UsageError):
            read_argument(text)


def experiment(quantities: dict[str, dict[str, float]]) -> Experiment:
    return Experiment(
        number=1,
        run="r",
        thread="direct",
        step=0,
        call=0,
        tool="weigh",
        arguments={},
        seed=0,
        fingerprint="f",
        code="c",
        result={"quantities": quantities},
    )
