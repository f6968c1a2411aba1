"""The test is sealed: no score before the words are frozen, none twice, and a killed run may finish."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from experiments.scoring.judged import Judged
from experiments.scoring.protocol import NAMES, Scored, Subject, score
from experiments.scoring.seal import is_tested, learned, primary, record
from store.database import Store, open_store
from store.errors import UserError
from store.records import Description
from tests.experiments.scoring.facts import HIGH, Facts, Table
from tests.store.records import UNIT, begin

FINGERPRINT = "sha256:target"
N = 200
RED = np.arange(N) % 4 == 0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store.db") as opened:
        yield opened


def outcome(concept: str = "red", *, null: float | None = 0.2, noise: float = 0.1, seed: int = 0) -> Scored:
    values = RED + noise * np.random.default_rng(seed).normal(size=N)
    judged = Judged(Table({"red": RED, "star": np.arange(N) % 3 == 0}), Facts(N), name="table")
    return score([Subject(UNIT, HIGH, concept, null)], values[:, None], judged, draws=100)[0]


def freeze(store: Store, run: str, concept: str = "red") -> None:
    words = Description(component=UNIT, status="unverified", label=concept, concept=concept, text=concept)
    store.recorder.description(run, words)


def test_scores_status_and_claim_of_frozen_words_are_recorded(store: Store) -> None:
    run = begin(store, FINGERPRINT)
    freeze(store, run)
    assert record(store, run, outcome()) == "verified"
    found = store.queries.description(run, UNIT, test=True)
    assert found is not None and found.status == "verified" and set(found.scores) == set(NAMES)
    assert found.scores["pearson"].null == 0.2 and found.scores["auprc"].null is None
    claim = found.claims["learned"]
    assert claim is not None and claim.verdict == "yes" and claim.control == 0.2
    assert is_tested(store, run, UNIT) and primary(found) > 0.9


def test_a_test_is_taken_once(store: Store) -> None:
    run = begin(store, FINGERPRINT)
    freeze(store, run)
    record(store, run, outcome())
    with pytest.raises(UserError, match="has been scored on test already") as refusal:
        record(store, run, outcome(seed=1))
    assert refusal.value.kind == "sealed"


def test_nothing_is_scored_before_its_words_are_frozen(store: Store) -> None:
    run = begin(store, FINGERPRINT)
    with pytest.raises(RuntimeError, match="no frozen words"):
        record(store, run, outcome())
    assert store.queries.scores(run, UNIT, test=True) == []


def test_other_words_than_the_frozen_ones_are_not_scored(store: Store) -> None:
    run = begin(store, FINGERPRINT)
    freeze(store, run, "star")
    with pytest.raises(RuntimeError, match="no frozen words that say `red`"):
        record(store, run, outcome())


def test_a_run_that_was_killed_between_two_scores_finishes_what_it_began(store: Store) -> None:
    run = begin(store, FINGERPRINT)
    freeze(store, run)
    first = outcome()
    for name in NAMES[:3]:
        store.recorder.score(run, UNIT, name, first.scores[name])
    assert not is_tested(store, run, UNIT)
    record(store, run, outcome(seed=0))
    assert is_tested(store, run, UNIT) and len(store.queries.scores(run, UNIT, test=True)) == len(NAMES)


def test_planners_never_see_what_the_test_said(store: Store) -> None:
    run = begin(store, FINGERPRINT)
    freeze(store, run)
    record(store, run, outcome())
    found = store.queries.description(run, UNIT)
    assert found is not None and found.scores == {} and found.claims == {}
    assert store.queries.scores(run, UNIT) == []


@pytest.mark.parametrize(
    ("null", "noise", "verdict", "because"),
    [
        (0.2, 0.1, "yes", ""),
        (0.995, 0.1, "no", "untrained units of the same site reach this as well"),
        (None, 0.1, "undetermined", "no untrained copies were measured at this site"),
        (0.01, 2.0, "undetermined", "the words are not accurate"),
    ],
)
def test_learned_means_accurate_and_truer_than_untrained_units(
    null: float | None, noise: float, verdict: str, because: str
) -> None:
    claim = learned(outcome(null=null, noise=noise))
    assert (claim.verdict, claim.because) == (verdict, because)


def test_an_interval_that_reaches_down_to_untrained_units_leaves_it_open() -> None:
    score = outcome(noise=0.5).pearson
    low, _ = score.ci
    near = learned(outcome(noise=0.5, null=(low + score.value) / 2))
    assert (near.verdict, near.because) == (
        "undetermined",
        "its interval reaches down to what untrained units reach",
    )
    assert learned(outcome(noise=0.5, null=low - 0.01)).verdict == "yes"


def test_two_phrases_joined_can_be_learned_since_untrained_units_were_searched_for_them() -> None:
    above, below = (learned(outcome("red & red", null=null)) for null in (0.2, 0.995))
    assert (above.verdict, below.verdict) == ("yes", "no")


@pytest.mark.parametrize("concept", ["red & !star", "red & (red | star)", "red | red | red"])
def test_a_form_that_was_not_searched_can_fall_short_of_the_null_but_not_exceed_it(concept: str) -> None:
    above, below = (learned(outcome(concept, null=null)) for null in (0.01, 0.995))
    assert above.effect is not None and above.effect > 0.01
    assert (above.verdict, below.verdict) == ("undetermined", "no")
    assert "not for this form" in above.because


def test_unverified_words_keep_their_reason(store: Store) -> None:
    run = begin(store, FINGERPRINT)
    freeze(store, run, "star")
    assert record(store, run, outcome("star")) == "unverified"
    found = store.queries.description(run, UNIT, test=True)
    assert found is not None and "not surely above 0.3" in found.reason


def test_what_was_never_scored_counts_zero() -> None:
    assert primary(Description(component=UNIT, status="abstained")) == 0
