"""A labelling run of a planner that lacks parts: it does the rest, and the run says what is missing."""

from __future__ import annotations

from pathlib import Path

from agent.builtin.without import named
from store.database import open_store
from store.records import Experiment
from tests.labelling import DESCRIBED, Labelled, Place, label

TOOLS = {
    "pairs": {"make_pairs"},
    "leads": {"unexplained"},
    "causal": {"ablate"},
}
"""What each part works with; facets are joined phrases."""


def done(place: Place, run: str) -> list[Experiment]:
    with open_store(place.store) as store:
        return store.queries.experiments(run, DESCRIBED)


def tools(experiments: list[Experiment]) -> set[str]:
    return {one.tool for one in experiments}


def joins(experiments: list[Experiment]) -> bool:
    compared = [one for one in experiments if one.tool == "activations"]
    return any("|" in str(one.arguments.get("concept")) for one in compared)


def test_a_planner_that_lacks_everything_compares_scores_and_concludes(
    labelled: Labelled, tmp_path: Path
) -> None:
    whole = done(labelled.place, labelled.run)
    assert set().union(*TOOLS.values()) <= tools(whole) and joins(whole)
    place = Place(tmp_path, labelled.place.cache)
    bare = named(frozenset({"pairs", "leads", "facets", "causal"}))
    said = place.says(*label(DESCRIBED, "--planner", bare, "--json"))
    assert said.code == 0, said.err
    (found,) = said.json["descriptions"]
    assert found["concept"] and found["scores"]["pearson"]["split"] == "test"
    assert found["claims"]["necessary"]["verdict"] == "undetermined"
    left = done(place, said.json["run"])
    assert tools(left) == {"describe", "activations", "top_exemplars", "score_description"}
    assert not joins(left)


def test_a_part_is_taken_away_alone_and_the_run_remembers_which(labelled: Labelled, tmp_path: Path) -> None:
    place = Place(tmp_path, labelled.place.cache)
    said = place.says(*label(DESCRIBED, "--planner", "builtin:no-causal", "--json"))
    assert said.code == 0, said.err
    left = done(place, said.json["run"])
    assert TOOLS["pairs"] | TOOLS["leads"] <= tools(left) and joins(left)
    assert not {"ablate", "vocabulary_effect"} & tools(left)
    with open_store(place.store) as store:
        run = store.queries.run(said.json["run"])
    assert run.planner == run.arguments["planner"] == "builtin:no-causal"
