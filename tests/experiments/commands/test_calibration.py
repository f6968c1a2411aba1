"""`maieutic bench calibration` reads the record alone, and says one sentence where there is nothing to compare."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.database import open_store
from tests.experiments.scoring.test_calibration import frozen, pass_test
from tests.labelling import Place
from tests.store.records import begin


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, tmp_path / "cache")


def run_of(place: Place, verified: list[bool]) -> str:
    with open_store(place.store) as store:
        run = begin(store, "sha256:target")
        for number, passed in enumerate(verified):
            rho = 0.6 if passed else 0.3
            frozen(store, run, number, rho, rho)
            pass_test(store, run, number, passed)
    return run


def test_the_tables_and_the_json_say_what_became_of_confidences(place: Place) -> None:
    run = run_of(place, [True, True, True, False])
    told = place.says("bench", "calibration", run)
    assert told.code == 0 and "3 of 4 verified; left out: none" in told.out
    assert "1.000 [0.439, 1.000]" in told.out and "0.000 [0.000, 0.793]" in told.out
    found = place.says("bench", "calibration", run, "--json").json
    assert (found["runs"], found["n"], found["verified"]) == ([run], 4, 3)
    assert found["confidence"]["gap"]["gap"] == pytest.approx(0.525 - 0.75)
    assert found["map"]["fitted_on"] == "select" and found["chance"]["brier"]["n"] == 4


def test_the_figure_is_written_where_it_was_asked_for(place: Place) -> None:
    run, figure = run_of(place, [True, False]), place.folder / "calibration.png"
    told = place.says("bench", "calibration", run, "--figure", str(figure))
    assert told.code == 0 and str(figure) in told.err
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_a_run_without_a_test_and_an_unknown_run_are_refused(place: Place) -> None:
    told = place.says("bench", "calibration", run_of(place, [True]))
    assert told.code == 1 and "too few to calibrate" in told.err
    assert "the store has no run `zzz`" in place.says("bench", "calibration", "zzz").err
    wrong = place.says("bench", "calibration", "zzz", "--figure", "figure.doc")
    assert wrong.code == 2 and "figure.doc" in wrong.err


def test_runs_of_several_records_are_taken_together(place: Place, tmp_path: Path) -> None:
    other = Place(tmp_path / "other", place.cache)
    other.folder.mkdir()
    runs = run_of(place, [True, True]), run_of(other, [False])
    stores = ("--store", str(place.store), "--also", str(other.store))
    found = place.says("bench", "calibration", *runs, *stores, "--json").json
    assert (found["runs"], found["n"], found["verified"]) == (list(runs), 3, 2)
    unknown = place.says("bench", "calibration", *runs, "zzz", *stores)
    assert unknown.code == 1 and "the store has no run `zzz`" in unknown.err
