"""The test split stays sealed: nothing of it reaches a planner, and it is opened only after the words are frozen."""

from __future__ import annotations

import pytest

from store.database import Store
from store.errors import UserError
from store.records import Claim
from tests.store.records import TARGET, UNIT, measure, points, words


@pytest.fixture
def tested(store: Store, run: str) -> Store:
    """A store in which one component has been described, tested and verified."""
    seen = measure(store, run, 0, result={"summary": "seen"})
    store.recorder.description(run, words(f"Fires on red [e{seen.number}]."))
    measure(store, run, 1, split="test", result={"summary": "sealed"})
    store.recorder.score(run, UNIT, "pearson", points(0.7, "select"))
    store.recorder.score(run, UNIT, "pearson", points(0.5, "test"))
    learned = Claim(verdict="yes", effect=0.3, ci=(0.2, 0.4))
    store.recorder.settle(run, UNIT, "verified", claims={"learned": learned})
    return store


def test_no_planner_facing_answer_holds_anything_of_the_test(tested: Store, run: str) -> None:
    queries = tested.queries
    assert [e.result["summary"] for e in queries.experiments()] == ["seen"]
    assert [e.result["summary"] for e in queries.experiments(run, UNIT)] == ["seen"]
    assert [hit.kind for hit in queries.search("seen")] == ["experiment"]
    assert queries.search("sealed") == []
    assert [(name, score.split) for name, score in queries.scores(run, UNIT)] == [("pearson", "select")]
    with pytest.raises(UserError, match="no experiment `e2`"):
        queries.experiment(2)
    described = queries.description(run, UNIT)
    assert described
    assert (described.status, described.scores["pearson"].value, described.claims) == ("unverified", 0.7, {})
    assert queries.descriptions(run) == [described]


def test_scoring_pages_and_people_can_open_the_seal(tested: Store, run: str) -> None:
    queries = tested.queries
    assert [e.result["summary"] for e in queries.experiments(run, test=True)] == ["seen", "sealed"]
    assert queries.experiment(2, test=True).result["summary"] == "sealed"
    assert [score.split for _, score in queries.scores(run, UNIT, test=True)] == ["select", "test"]
    described = queries.description(run, UNIT, test=True)
    assert described and described.claims["learned"]
    assert (described.status, described.scores["pearson"].value) == ("verified", 0.5)
    assert [component.status for component in queries.components(run)] == ["verified"]


def test_pairs_and_stimuli_of_the_test_are_not_shown(store: Store, run: str) -> None:
    for key in ("train/1", "train/2", "test/1"):
        store.recorder.stimulus(key, "0" * 64, "test" if key.startswith("test") else "train")
    store.recorder.pair(run, UNIT, 1, "red", "train/1", "train/2", {})
    store.recorder.pair(run, UNIT, 2, "red", "train/1", "test/1", {})
    store.recorder.pair(run, UNIT, 3, "red", "test/1", "train/1", {})
    assert [pair.number for pair in store.queries.pairs(run, UNIT)] == [1]
    assert [pair.number for pair in store.queries.pairs(run, UNIT, test=True)] == [1, 2, 3]
    assert store.queries.stimulus("test/1") is None
    assert store.queries.stimulus("test/1", test=True)


def test_the_test_is_not_scored_before_the_words_are_frozen(store: Store, run: str) -> None:
    measure(store, run)
    with pytest.raises(RuntimeError, match=r"no frozen description in run .* its test stays sealed"):
        store.recorder.score(run, UNIT, "pearson", points())
    assert store.queries.scores(run, UNIT, test=True) == []
    store.recorder.description(run, words())
    store.recorder.score(run, UNIT, "pearson", points())


def test_words_do_not_change_after_the_test(tested: Store, run: str) -> None:
    before = tested.queries.description(run, UNIT)
    with pytest.raises(RuntimeError, match="is frozen; text would change"):
        tested.recorder.description(run, words("Fires on red and orange things."))
    assert tested.queries.description(run, UNIT) == before


def test_the_test_is_scored_once(tested: Store, run: str) -> None:
    tested.recorder.score(run, UNIT, "pearson", points(0.5, "test"))
    with pytest.raises(RuntimeError, match="already has the score `pearson` on test"):
        tested.recorder.score(run, UNIT, "pearson", points(0.9, "test"))


def test_nothing_is_verified_without_a_test(store: Store, run: str) -> None:
    with pytest.raises(RuntimeError, match="`verified` is given by `settle`"):
        store.recorder.description(run, words(status="verified"))
    with pytest.raises(RuntimeError, match="can't hold scores on `test`"):
        store.recorder.description(run, words(scores={"pearson": points()}))
    with pytest.raises(RuntimeError, match="no frozen description"):
        store.recorder.settle(run, UNIT, "unverified")
    store.recorder.description(run, words())
    store.recorder.score(run, UNIT, "pearson", points(0.9, "select"))
    with pytest.raises(RuntimeError, match="it can't be verified"):
        store.recorder.settle(run, UNIT, "verified")
    store.recorder.settle(run, UNIT, "unverified", reason="the test could not be run")
    assert store.queries.components(run)[0].reason == "the test could not be run"


def test_a_text_can_not_cite_the_test(store: Store, run: str) -> None:
    sealed = measure(store, run, split="test").number
    with pytest.raises(RuntimeError, match="belongs to the sealed test"):
        store.recorder.description(run, words(f"Fires on red [e{sealed}]."))


def test_a_run_on_another_target_sees_the_test_no_more_than_its_own(tested: Store) -> None:
    assert tested.queries.search("sealed", fingerprint=TARGET) == []
    assert [e.number for e in tested.queries.experiments(thread=UNIT)] == [1]
