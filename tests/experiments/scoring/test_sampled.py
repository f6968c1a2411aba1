"""Where judging costs, each component's judge sees a sample: the score is of the whole, and says how it was made."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.scoring.judged import SAMPLED, Judged
from experiments.scoring.protocol import NAMES, Scored, Subject, score
from experiments.scoring.sampled import FREQUENT, most_frequent, score_sampled
from store.records import Reading
from tests.experiments.scoring.facts import Facts, Table

N, WANTED = 1000, 150
RNG = np.random.default_rng(238)
COLUMNS = {
    word: (RNG.random(N) < share).astype(np.float64)
    for word, share in {
        "red": 0.05,
        "star": 0.3,
        "often": 0.8,
        "half": 0.5,
        "some": 0.4,
        "always": 0.98,
    }.items()
}
VALUES = {
    "red": COLUMNS["red"] + 0.3 * RNG.normal(size=N),
    "star": COLUMNS["star"] + 0.5 * RNG.normal(size=N),
    "noise": RNG.normal(size=N),
}
VOCABULARY = ("red", "star", "often", "half", "some", "always", "zebra")


def subjects(*concepts: str) -> list[Subject]:
    return [Subject(f"language.0.mlp.{n}", Reading(), concept) for n, concept in enumerate(concepts)]


def values(*names: str) -> np.ndarray:
    return np.stack([VALUES[name] for name in names], axis=1)


def both(
    *named: tuple[str, str], wanted: int = WANTED, seed: int = 0
) -> tuple[list[Scored], list[Scored], Table]:
    """Of (values, concept): scores by all pictures, by a sample, and the table that the latter's judge read."""
    numbers, said = values(*(one for one, _ in named)), subjects(*(concept for _, concept in named))
    whole = score(
        said, numbers, Judged(Table(COLUMNS), Facts(N), name="table"), vocabulary=VOCABULARY, seed=seed
    )
    table = Table(COLUMNS)
    judged = Judged(table, Facts(N), name="table")
    return whole, score_sampled(said, numbers, judged, wanted=wanted, vocabulary=VOCABULARY, seed=seed), table


def test_a_sample_of_a_seventh_says_what_the_whole_says() -> None:
    """Four components under 40 seeds: no score is off on average, and of 160 intervals 95 % hold the whole's ρ. Rates
    over few active pictures, near 0 or 1, have intervals that are too narrow, and are not held to that."""
    named = (("red", "red"), ("star", "star"), ("noise", "red"), ("red", "star | half"))
    numbers, said = values(*(one for one, _ in named)), subjects(*(concept for _, concept in named))
    judged = Judged(Table(COLUMNS), Facts(N), name="table")
    whole = score(said, numbers, judged, draws=200)
    held: dict[str, list[bool]] = {name: [] for name in NAMES}
    off: dict[str, list[float]] = {name: [] for name in NAMES}
    for seed in range(40):
        sampled = score_sampled(said, numbers, judged, wanted=WANTED, draws=200, seed=seed)
        for one, other in zip(whole, sampled, strict=True):
            for name in NAMES:
                low, high = other.scores[name].ci
                held[name].append(low <= one.scores[name].value <= high)
                off[name].append(other.scores[name].value - one.scores[name].value)
    assert np.mean(held["pearson"]) >= 0.9 and np.mean(held["auprc"]) >= 0.9
    assert all(np.abs(np.reshape(one, (40, 4)).mean(axis=0)).max() < 0.03 for one in off.values())


def test_a_sample_verifies_what_the_whole_verifies() -> None:
    whole, sampled, _ = both(("red", "red"), ("star", "star"), ("noise", "red"), ("red", "star | half"))
    verdicts = ["verified", "verified", "unverified", "unverified"]
    assert [one.status for one in sampled] == [one.status for one in whole] == verdicts


def test_every_row_says_that_it_was_sampled_and_how_many_pictures_were_judged() -> None:
    whole, (found,), _ = both(("red", "red"))
    for one in found.scores.values():
        assert 0.7 * WANTED < one.n < 1.3 * WANTED
        assert one.judge == f"table (error not measured), {SAMPLED}: {one.n} of {N} pictures"
    assert all(one.n == N and SAMPLED not in one.judge for one in whole[0].scores.values())


def test_the_judge_is_asked_of_no_more_than_the_samples() -> None:
    """Two phrases and the FREQUENT ones in each sample, all phrases in the part that they share, and a few tries."""
    _, sampled, table = both(("red", "red"), ("star", "star"))
    seen = sum(one.pearson.n for one in sampled)
    assert table.asked < seen * (FREQUENT + 1) + WANTED * len(VOCABULARY) < N * len(VOCABULARY)


def test_what_a_component_scores_does_not_hang_on_who_else_is_scored_or_who_was_before() -> None:
    _, (alone,), _ = both(("star", "star"))
    _, (_, beside), _ = both(("red", "red"), ("star", "star"))
    for name in NAMES:
        assert alone.scores[name].value == beside.scores[name].value
        assert alone.scores[name].ci == beside.scores[name].ci


def test_q_counts_all_components_and_those_that_are_not_scored_now() -> None:
    judged = Judged(Table(COLUMNS), Facts(N), name="table")
    found = score_sampled(
        subjects("red", "red"), values("red", "noise"), judged, wanted=WANTED, others=[1.0] * 8
    )
    p = [one.pearson.p or 0.0 for one in found]
    assert found[0].pearson.q == pytest.approx(10 * p[0]) and found[0].status == "verified"
    assert found[1].pearson.q is not None and found[1].pearson.q >= p[1]


def test_the_control_is_one_of_the_most_frequent_phrases_of_what_all_samples_share() -> None:
    judged = Judged(Table(COLUMNS), Facts(N), name="table")
    assert most_frequent(VOCABULARY, judged, 600, 0) == ["often", "half", "some"]
    _, (often, red), _ = both(("star", "often"), ("red", "red"), wanted=600)
    assert often.control is not None and often.control.phrase == "half"
    assert red.control is not None and red.control.phrase == "often"


def test_a_side_without_values_and_words_that_can_not_be_read_score_zero() -> None:
    judged = Judged(Table(COLUMNS), Facts(N), name="table")
    numbers = np.stack([np.full(N, np.nan), VALUES["red"]], axis=1)
    found = score_sampled(subjects("red", "zebra"), numbers, judged, wanted=WANTED)
    assert [one.pearson.value for one in found] == [0, 0]
    assert "there are no values" in found[0].reason and "zebra" in found[1].reason


def test_what_was_judged_of_a_part_is_not_judged_again_for_the_whole() -> None:
    table = Table(COLUMNS)
    judged = Judged(table, Facts(N), name="table")
    part = judged.part(np.arange(100, 300))
    np.testing.assert_array_equal(part.column("red"), COLUMNS["red"][100:300])
    asked = table.asked
    np.testing.assert_array_equal(judged.column("red"), COLUMNS["red"])
    assert table.asked - asked <= N - 200 + 2
    asked = table.asked
    np.testing.assert_array_equal(judged.part(np.array([5, 7])).column("red"), COLUMNS["red"][[5, 7]])
    assert table.asked == asked
