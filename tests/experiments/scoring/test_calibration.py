"""Confidences are read from the record, compared with what the test said, and mended by what select said alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.scoring.calibration import Calibration, Outcome, calibration_of
from store.database import Store, open_store
from store.errors import UserError
from store.records import Reading, Score
from tests.experiments.scoring.test_corrected import found as scored_unit
from tests.store.records import begin, measure, words
from tools.scoring.passing import chance_of_passing

N_SELECT, N_TEST = 200, 400


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store.db") as opened:
        yield opened


def unit(place: int) -> str:
    return f"language.3.mlp.{place}"


def frozen(store: Store, run: str, place: int, confidence: float, rho: float = 0.6, **more: Any) -> None:
    """A frozen description whose planner asked for a score of it on select."""
    store.recorder.description(
        run, words(component=unit(place), concept="red", confidence=confidence, **more)
    )
    asked(store, run, place, rho)


def asked(store: Store, run: str, place: int, rho: float, concept: str = "red", call: int = 0) -> None:
    pearson = {"value": rho, "ci": [round(rho - 0.1, 1), round(rho + 0.1, 1)], "n": N_SELECT}
    measure(
        store,
        run,
        call=call,
        thread=unit(place),
        tool="score_description",
        arguments={"component": unit(place), "concept": concept, "reading": {"sign": "+", "scope": "visual"}},
        result={"summary": "scored", "quantities": {"pearson": pearson}},
        split="select",
    )


def pass_test(store: Store, run: str, place: int, verified: bool = True) -> None:
    score = Score(value=0.5, ci=(0.4, 0.6), n=N_TEST, split="test")
    store.recorder.score(run, unit(place), "pearson", score)
    store.recorder.settle(run, unit(place), "verified" if verified else "unverified")


def test_each_tested_description_is_counted_once_and_the_others_by_their_reason(store: Store) -> None:
    run = begin(store, "sha256:target")
    for place, (confidence, rho, verified) in enumerate(
        [(0.9, 0.9, True), (0.4, 0.4, False), (0.5, 0.5, True)]
    ):
        frozen(store, run, place, confidence, rho)
        pass_test(store, run, place, verified)
    frozen(store, run, 3, 0.7)
    store.recorder.description(run, words(component=unit(4), status="abstained"))
    store.recorder.description(run, words(component=unit(5), status="failed"))
    found = calibration_of(store, [run])
    assert [(one.confidence, one.verified, one.on_select) for one in found.outcomes] == [
        (0.9, True, True),
        (0.4, False, False),
        (0.5, True, True),
    ]
    assert found.left_out == {"untested": 1, "abstained": 1, "failed": 1}
    assert found.planners == ("builtin",)
    chances = [one.chance for one in found.outcomes if one.chance is not None]
    assert chances[0] > 0.95 > chances[2] > 0.6 > chances[1]


def test_the_select_score_is_that_of_the_frozen_words_and_their_side(store: Store) -> None:
    run = begin(store, "sha256:target")
    for place in (0, 1):
        frozen(store, run, place, 0.8, 0.8)
        pass_test(store, run, place)
    asked(store, run, 0, 0.2, concept="star", call=1)
    store.recorder.description(
        run, words(component=unit(2), concept="red", confidence=0.5, reading=Reading(sign="-"))
    )
    asked(store, run, 2, 0.2)
    pass_test(store, run, 2)
    found = calibration_of(store, [run])
    assert [one.on_select for one in found.outcomes] == [True, True, None]
    assert found.outcomes[2].chance is None


def test_several_runs_are_taken_together(store: Store) -> None:
    runs = [begin(store, "sha256:target") for _ in range(2)]
    for run in runs:
        frozen(store, run, 0, 0.8)
        pass_test(store, run, 0)
    assert len(calibration_of(store, runs).outcomes) == 2
    with pytest.raises(UserError, match="were tested, too few"):
        calibration_of(store, runs[:1])


def outcomes(n: int, *, shrunk: float, seed: int = 0) -> Calibration:
    """Descriptions whose confidence has log odds `shrunk` times too small, on both splits."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(0.5, 2, size=n)
    said, true = 1 / (1 + np.exp(-shrunk * odds)), 1 / (1 + np.exp(-odds))
    drawn = rng.random((2, n)) < true
    rows = zip(said.tolist(), drawn[0].tolist(), drawn[1].tolist(), strict=True)
    return Calibration(
        ("abc",), ("builtin",), tuple(Outcome("a", p, test, select) for p, test, select in rows), {}
    )


def test_the_map_is_fitted_to_select_and_mends_what_is_reported_on_test() -> None:
    made = outcomes(300, shrunk=0.4)
    fitted = made.odds_map
    assert fitted is not None and fitted.n == 300 and fitted.slope == pytest.approx(2.5, abs=0.6)
    found = made.reliabilities()
    assert found["confidence"].error.value > found["confidence"].chance
    assert found["mapped"].error.value <= found["mapped"].chance
    assert found["mapped"].brier.value < found["confidence"].brier.value
    turned = Calibration(
        made.runs,
        made.planners,
        tuple(Outcome("a", one.confidence, not one.verified, one.on_select) for one in made.outcomes),
        {},
    )
    assert turned.odds_map == fitted, "the map never sees the test"


def test_without_select_scores_there_is_no_map_and_no_chance() -> None:
    made = Calibration(("a",), ("openai:x",), (Outcome("a", 0.5, True), Outcome("b", 0.6, False)), {})
    told = made.as_json()
    assert (told["map"], told["mapped"], told["chance"]) == (None, None, None)
    assert told["n"] == 2 and told["verified"] == 1 and told["confidence"]["ece"]["n"] == 2


def test_a_unit_that_the_protocol_verifies_is_one_that_the_chance_expected() -> None:
    """The chance is of the very rule by which the protocol verifies."""
    passed, expected = [], []
    for seed in range(24):
        noise = 0.25 + 0.05 * seed
        select, test = (
            scored_unit(N_SELECT, noise, others=0, seed=seed + more, draws=200) for more in (0, 1000)
        )
        rho = select.pearson
        expected.append(chance_of_passing(rho.value, rho.ci, N_SELECT, N_SELECT, rounded=0))
        passed.append(test.status == "verified")
    assert 4 < sum(passed) < 20
    assert sum(expected) == pytest.approx(sum(passed), abs=3)
    assert np.mean((np.array(expected) - passed) ** 2) < 0.75 * np.var(passed)
