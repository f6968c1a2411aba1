"""`maieutic score`: the rest of the protocol for a real run, shown, and not done twice."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from experiments.scoring.rest.run import REST
from store.database import open_store
from tests.labelling import ABSTAINED, DESCRIBED, Labelled, Place


@pytest.fixture
def place(labelled: Labelled, tmp_path: Path) -> Place:
    """A copy of the run's record: others look at the run as it was."""
    for path in labelled.place.folder.glob("store.db*"):
        (shutil.copytree if path.is_dir() else shutil.copy)(path, tmp_path / path.name)
    return Place(tmp_path, labelled.place.cache)


def test_a_run_is_scored_further_once_and_its_component_shows_it(labelled: Labelled, place: Place) -> None:
    said = place.says("score", labelled.run, "--json")
    assert said.code == 0, said.err
    assert said.json.keys() == {"run", "protocol", "scored", "skipped"}
    (one,) = said.json["scored"]
    assert one["component"] == DESCRIBED and one["new"] and set(one["new"]) == set(one["scores"]) <= set(REST)
    assert said.json["skipped"]["nothing was said of the component"] == len(REST)
    shown = place.says("show", "component", DESCRIBED).out
    assert "Pearson ρ, on test:" in shown
    if "hard_negatives" in one["scores"]:
        value = one["scores"]["hard_negatives"]["value"]
        assert f"hard negatives (sign accuracy), on test: {value:.2f} [" in shown
    again = place.says("score")
    assert again.code == 0 and f"run {labelled.run}: 0 new scores" in again.out
    assert f"{len(REST)} not measured: nothing was said of the component" in again.err
    assert ABSTAINED not in again.out


def test_a_run_that_is_not_there_or_labelled_nothing_is_refused(labelled: Labelled, tmp_path: Path) -> None:
    empty = Place(tmp_path, labelled.place.cache)
    assert labelled.place.says("score", "nosuch", "--json").json["error"]["kind"] == "run"
    assert empty.says("score", "--json").json["error"]["kind"] == "store-missing"
    open_store(empty.store).close()
    assert empty.says("score", "--json").json["error"]["message"] == "the store has no labelling runs"
