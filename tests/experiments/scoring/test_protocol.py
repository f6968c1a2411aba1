"""The sanity checks that the scorer itself must pass, and what its answers mean."""

from __future__ import annotations

import numpy as np
import pytest
from jaxtyping import Float

from experiments.scoring.judged import Judged
from experiments.scoring.protocol import NAMES, Scored, Subject, score
from experiments.tableau.scene_judge import SceneJudge
from experiments.tableau.source import TableauSource
from store.errors import UserError
from store.records import Reading
from tests.experiments.scoring.facts import HIGH, Facts, Table

N = 4000
SOUND = ("pearson", "auprc", "f1", "iou")
"""Metrics that must notice missing and extra labels alike; each conditional rate sees one of the two."""


def scored(
    values: Float[np.ndarray, "stimulus"],
    columns: dict[str, Float[np.ndarray, "stimulus"]],
    *concepts: str,
    vocabulary: tuple[str, ...] = (),
    draws: int = 200,
) -> list[Scored]:
    """All concepts for one component with these values."""
    subjects = [Subject(f"language.0.mlp.{place}", HIGH, concept) for place, concept in enumerate(concepts)]
    judged = Judged(Table(columns), Facts(len(values)), name="table")
    table = np.repeat(values[:, None], len(concepts), axis=1)
    return score(subjects, table, judged, vocabulary=vocabulary, draws=draws)


def holds(rng: np.random.Generator, rate: float, n: int = N) -> Float[np.ndarray, "stimulus"]:
    """Exactly the share `rate` of ones, at random."""
    return rng.permutation(np.arange(n) < round(rate * n)).astype(float)


@pytest.mark.parametrize("noise", [0.0, 0.3])
@pytest.mark.parametrize("rate", [0.5, 0.1, 0.01, 0.001])
def test_missing_and_extra_labels_lower_the_score_at_every_firing_rate(rate: float, noise: float) -> None:
    rng = np.random.default_rng(1)
    true = holds(rng, rate)
    missing = true.copy()
    missing[rng.permutation(np.flatnonzero(true))[: int(true.sum()) // 2]] = 0
    extra = true.copy()
    extra[rng.permutation(np.flatnonzero(true == 0))[: int(true.sum())]] = 1
    values = np.maximum(true + noise * np.abs(rng.normal(size=N)) * true, 0)
    columns = {"true": true, "missing": missing, "extra": extra}
    right, fewer, more = scored(values, columns, "true", "missing", "extra", draws=20)
    for name in SOUND:
        assert fewer.scores[name].value < 0.95 * right.scores[name].value, name
        assert more.scores[name].value < 0.95 * right.scores[name].value, name


def test_shuffled_constant_frequent_and_random_concepts_score_about_chance() -> None:
    rng = np.random.default_rng(0)
    true = holds(rng, 0.1)
    columns = {
        "true": true,
        "shuffled": rng.permutation(true),
        "always": np.ones(N),
        "never": np.zeros(N),
        "frequent": holds(rng, 0.7),
        "random": rng.random(N),
    }
    values = true + 0.2 * rng.normal(size=N)
    right, *others = scored(values, columns, *columns)
    assert right.pearson.value > 0.8 and right.status == "verified"
    for other in others:
        assert abs(other.pearson.value) < 0.05, other.subject.concept
        assert other.scores["auprc"].value < 0.1, other.subject.concept
        assert other.scores["f1"].value < 0.15, other.subject.concept
        assert other.status == "unverified"


@pytest.mark.parametrize("constant", [0.0, 0.3, 1.0])
def test_a_constant_concept_scores_zero_and_not_nan(constant: float) -> None:
    values = np.random.default_rng(0).normal(size=200)
    (found,) = scored(values, {"flat": np.full(200, constant)}, "flat")
    assert (found.pearson.value, found.pearson.ci) == (0.0, (0.0, 0.0))
    assert (found.pearson.p, found.pearson.q) == (1, 1)


def test_a_constant_component_scores_zero_everywhere() -> None:
    (found,) = scored(np.full(200, 3.0), {"a": holds(np.random.default_rng(0), 0.5, 200)}, "a")
    assert {name: found.scores[name].value for name in NAMES} == dict.fromkeys(NAMES, 0.0)


@pytest.fixture(scope="module")
def world() -> Judged:
    return Judged(SceneJudge(), TableauSource("test", 300), name="scene graph")


def test_synonyms_tie_and_hypernyms_and_hyponyms_score_lower(world: Judged) -> None:
    rng = np.random.default_rng(0)
    values = world.column("red thing") + 0.1 * rng.normal(size=300)
    concepts = ("red", "crimson", "a red thing", "warm thing", "red star")
    subjects = [Subject(f"language.0.mlp.{place}", HIGH, concept) for place, concept in enumerate(concepts)]
    red, crimson, thing, warm, star = score(subjects, np.tile(values[:, None], 5), world, draws=50)
    assert red.scores == crimson.scores == thing.scores
    for name in SOUND:
        assert max(warm.scores[name].value, star.scores[name].value) < red.scores[name].value


def test_a_description_true_of_the_top_alone_scores_low() -> None:
    rng = np.random.default_rng(0)
    broad = holds(rng, 0.4, 1000)
    narrow = broad * holds(rng, 0.2, 1000)
    values = broad + 0.5 * narrow + 0.01 * rng.random(1000)
    whole, top = scored(values, {"broad": broad, "narrow": narrow}, "broad", "narrow")
    assert top.scores["p_concept_given_active"].value == 1
    assert top.pearson.value < 0.6 < 0.9 < whole.pearson.value


def test_combined_concepts_score_above_their_parts() -> None:
    rng = np.random.default_rng(0)
    columns = {word: holds(rng, 0.2, 1000) for word in "ab"}
    values = np.maximum(columns["a"], columns["b"]) + 0.1 * rng.normal(size=1000)
    either, a, both, neither = scored(values, columns, "a | b", "a", "a & b", "!a & !b")
    assert either.pearson.value > 0.9 > a.pearson.value > both.pearson.value > 0 > neither.pearson.value


def test_words_are_verified_only_above_the_most_frequent_phrase() -> None:
    rng = np.random.default_rng(0)
    columns = {
        "often": holds(rng, 0.8, 1000),
        "rare": holds(rng, 0.1, 1000),
        "nearly always": holds(rng, 0.99, 1000),
    }
    near = np.where(rng.random(1000) < 0.12, 1 - columns["often"], columns["often"])
    found = scored(
        columns["often"] + 0.1 * rng.normal(size=1000),
        columns | {"near": near, "same": columns["often"]},
        *("near", "often", "same"),
        vocabulary=("rare", "often", "same", "nearly always", "unknown"),
    )
    assert [one.control.phrase for one in found if one.control] == ["often", "rare", "rare"]
    assert found[0].pearson.ci[0] > 0.3
    assert [one.status for one in found] == ["unverified", "verified", "verified"]


def test_a_correlation_that_is_not_surely_above_the_bar_is_not_verified() -> None:
    rng = np.random.default_rng(0)
    column = holds(rng, 0.3, 100)
    values = column + 1.1 * rng.normal(size=100)
    (found,) = scored(values, {"a": column}, "a")
    assert found.pearson.value > 0.3 > found.pearson.ci[0] and found.status == "unverified"


def test_what_can_not_be_read_scores_zero_with_a_reason_and_is_not_dropped() -> None:
    column = holds(np.random.default_rng(0), 0.3, 200)
    found = scored(column, {"a": column}, "a", "zebra", "a &", "")
    assert [one.pearson.value for one in found] == [pytest.approx(1), 0, 0, 0]
    assert found[0].reason == "" and "zebra" in found[1].reason and "ends where" in found[2].reason
    assert [one.status for one in found[1:]] == ["unverified"] * 3


def test_a_side_without_values_scores_zero_with_a_reason() -> None:
    column = holds(np.random.default_rng(0), 0.3, 200)
    judged = Judged(Table({"a": column}), Facts(200), name="table")
    subject = Subject("vision.0.mlp.0", Reading(scope="question"), "a")
    (found,) = score([subject], np.full((200, 1), np.nan), judged, draws=20)
    assert found.pearson.value == 0 and found.reason == "there are no values + at question tokens"


def test_a_judge_that_fails_is_not_taken_for_wrong_words() -> None:
    judged = Judged(SceneJudge(), Facts(20), name="scene graph")
    with pytest.raises(UserError, match="is not the key of a painted picture"):
        score([Subject("vision.0.mlp.0", HIGH, "red")], np.zeros((20, 1)), judged, draws=20)


def test_values_must_be_of_the_judges_stimuli() -> None:
    judged = Judged(Table({"a": np.zeros(20)}), Facts(20), name="table")
    with pytest.raises(ValueError, match="20 stimuli × 1 subjects have no values"):
        score([Subject("vision.0.mlp.0", HIGH, "a")], np.zeros((19, 1)), judged)


def test_stimuli_of_one_scene_count_once() -> None:
    rng = np.random.default_rng(0)
    column = np.repeat(holds(rng, 0.3, 60), 10)
    values = column + np.repeat(rng.normal(size=60), 10)
    judged = Judged(Table({"a": column}), Facts(600), name="table")
    subject = [Subject("language.0.mlp.0", HIGH, "a")]
    together, apart = (
        score(subject, values[:, None], judged, groups=groups)[0].pearson
        for groups in ([i // 10 for i in range(600)], None)
    )
    assert together.value == apart.value
    assert together.ci[1] - together.ci[0] > 2 * (apart.ci[1] - apart.ci[0])


def test_the_same_seed_gives_the_same_scores_whoever_else_is_scored() -> None:
    rng = np.random.default_rng(0)
    columns = {"a": holds(rng, 0.3, 300), "b": holds(rng, 0.2, 300)}
    values = columns["a"] + rng.normal(size=300)
    alone, beside = scored(values, columns, "a")[0], scored(values, columns, "b", "a")[1]
    for name in NAMES:
        assert alone.scores[name].value == pytest.approx(beside.scores[name].value, abs=1e-12)
        assert alone.scores[name].ci == pytest.approx(beside.scores[name].ci, abs=1e-12)
