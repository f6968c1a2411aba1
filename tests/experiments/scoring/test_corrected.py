"""Many components are tested at once: chance finds among them are not called accurate, and one true find is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import pearsonr

from experiments.scoring.blind import rest_of_family
from experiments.scoring.judged import Judged
from experiments.scoring.protocol import Scored, Subject, score
from experiments.scoring.seal import is_tested, record
from store.database import open_store
from store.records import Description, Score
from tests.agent.scripted_server import Endpoint, serving
from tests.experiments.scoring.facts import HIGH, Facts, Table
from tests.labelling import Labelled, Place, label, language_model
from tests.store.records import UNIT, begin
from tools.scoring.bootstrap import resampled, resamples
from tools.scoring.correction import benjamini_hochberg
from tools.scoring.correlation import p_values, pearson


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving(language_model) as opened:
        yield opened


def found(n: int, noise: float, others: int, *, seed: int = 0, draws: int = 1000) -> Scored:
    """One component that fires on `red`, besides so many that say nothing."""
    red = (np.arange(n) % 4 == 0).astype(float)
    values = red + noise * np.random.default_rng(seed).normal(size=n)
    judged = Judged(Table({"red": red}), Facts(n), name="table")
    subjects = [Subject(UNIT, HIGH, "red", 0.2)]
    return score(subjects, values[:, None], judged, others=[1.0] * others, draws=draws)[0]


def test_one_true_find_among_thousands_that_say_nothing_is_verified() -> None:
    one = found(400, 0.3, others=3999)
    least_share = 2 / 1001
    assert min(1.0, least_share * 4000) == 1.0, "the bootstrap's own floor could not have told it"
    assert one.pearson.q is not None and one.pearson.q < 1e-6 and one.status == "verified"


def test_a_find_on_few_pictures_counts_alone_and_not_among_thousands() -> None:
    alone, among = found(40, 0.5, others=0), found(40, 0.5, others=3999)
    assert alone.pearson.value == among.pearson.value and alone.pearson.ci[0] > 0.3
    assert (alone.status, among.status) == ("verified", "unverified")
    assert among.pearson.p == alone.pearson.p == alone.pearson.q
    assert among.pearson.q is not None and among.pearson.q > 0.05


def test_of_components_without_any_truth_hardly_one_is_a_find_after_correction() -> None:
    rng = np.random.default_rng(0)
    concepts, values = rng.random((200, 400)), rng.normal(size=(200, 400))
    drawn = resamples(range(200), draws=300)
    p = p_values(resampled(pearson(values, concepts, drawn.weights), drawn))
    assert 0.02 < (p < 0.05).mean() < 0.1
    assert (benjamini_hochberg(p) < 0.05).sum() <= 1


@pytest.mark.parametrize("noise", [0.5, 1.0, 2.0])
def test_p_beyond_what_draws_can_tell_is_near_that_of_the_exact_test(noise: float) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(120, 20))
    y = x + noise * rng.normal(size=(120, 20))
    drawn = resamples(range(120), draws=1000)
    ours = p_values(resampled(pearson(x, y, drawn.weights), drawn))
    exact = np.array([pearsonr(x[:, i], y[:, i]).pvalue for i in range(20)])
    depth = np.log(np.maximum(ours, 1e-12)) / np.log(np.maximum(exact, 1e-12))
    assert 0.7 < np.median(depth) < 1.3


def test_a_constant_concept_has_p_of_one() -> None:
    drawn = resamples(range(50), draws=100)
    flat = resampled(pearson(np.ones((50, 1)), np.ones((50, 1)), drawn.weights), drawn)
    assert p_values(flat).tolist() == [1.0]


def test_a_component_that_says_nothing_counts_in_the_family(labelled: Labelled) -> None:
    spoken, silent = labelled.said.json["descriptions"]
    assert silent["status"] == "abstained" and silent["scores"] == {}
    pearson = spoken["scores"]["pearson"]
    assert pearson["q"] == pytest.approx(min(1.0, 2 * pearson["p"]))
    assert spoken["scores"]["auprc"]["q"] is None


def test_what_was_tested_in_an_earlier_batch_stands_and_counts_in_the_next(tmp_path: Path) -> None:
    tested, silent, older, waiting = (f"language.3.mlp.{index}" for index in (17, 1, 2, 3))
    with open_store(tmp_path / "store.db") as store:
        run = begin(store, "sha256:target")
        for name, status in ((tested, "unverified"), (silent, "abstained"), (older, "unverified")):
            words = {"component": name, "status": status, "concept": "red" * (status != "abstained")}
            store.recorder.description(run, Description.model_validate(words))
        one = found(400, 0.3, others=0, draws=100)
        record(store, run, one)
        bare = one.pearson.model_copy(update={"p": None, "q": None})
        store.recorder.score(run, older, "pearson", bare)
        store.recorder.description(run, Description(component=waiting, status="unverified", concept="red"))
        assert sorted(rest_of_family(store, run, [waiting])) == [one.pearson.p, 1.0, 1.0]


def test_a_run_that_grows_keeps_what_was_written_of_its_first_batch(
    labelled: Labelled, tmp_path: Path, endpoint: Endpoint
) -> None:
    place = Place(tmp_path, labelled.place.cache)
    planner = ("--planner", "openai:scripted", "--base-url", endpoint.url)
    first = place.says(*label("vision.3.mlp[0:2]", "--limit", "1", *planner, "--json"))
    again = place.says("label", "--resume", first.json["run"], "--base-url", endpoint.url, "--json")
    (before,), (after, silent) = first.json["descriptions"], again.json["descriptions"]
    assert before["scores"] == after["scores"] and silent["status"] == "abstained"
    assert after["scores"]["pearson"]["q"] == after["scores"]["pearson"]["p"]


def test_a_test_that_was_killed_half_way_keeps_the_q_that_it_had_written(tmp_path: Path) -> None:
    one = found(400, 0.3, others=0, draws=100)
    written = one.pearson.model_copy(update={"q": 0.2})
    with open_store(tmp_path / "store.db") as store:
        run = begin(store, "sha256:target")
        words = Description(component=UNIT, status="unverified", label="red", concept="red", text="red")
        store.recorder.description(run, words)
        store.recorder.score(run, UNIT, "pearson", written)
        assert record(store, run, one) == "unverified" and is_tested(store, run, UNIT)
        kept = store.queries.description(run, UNIT, test=True)
    assert kept is not None and kept.scores["pearson"] == written
    assert (
        kept.reason
        == f"among all components tested together test ρ {one.pearson.value:.2f} may be chance (q = 0.20)"
    )


def test_a_score_from_before_p_was_kept_is_still_read() -> None:
    old = {"value": 0.5, "ci": [0.4, 0.6], "n": 40, "split": "test", "null": None, "judge": "table"}
    assert (Score.model_validate(old).p, Score.model_validate(old).q) == (None, None)
