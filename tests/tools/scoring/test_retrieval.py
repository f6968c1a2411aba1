"""AUPRC, F1, IoU and conditional rates agree with scikit-learn, under weights too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, jaccard_score, precision_score, recall_score

from tools.scoring.retrieval import TOP, active, auprc, firing_rate, overlap

ONE = np.ones((1, 80))


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.booleans())
def test_auprc_agrees_with_scikit_learn_with_and_without_ties(seed: int, tied: bool) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.random((80, 3)) < 0.2
    truth[0] = True
    scores = rng.integers(0, 4, size=(80, 3)) / 3 if tied else rng.random((80, 3))
    weights = rng.integers(0, 3, size=(2, 80)).astype(float)
    weights[:, 0] = 1
    found = auprc(truth, scores, weights)
    for row in range(2):
        expected = [
            average_precision_score(truth[:, i], scores[:, i], sample_weight=weights[row]) for i in range(3)
        ]
        np.testing.assert_allclose(found[row], expected, atol=1e-12)


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_overlaps_agree_with_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, concept = rng.random((80, 1)) < 0.2, rng.random((80, 1))
    weights = rng.integers(0, 3, size=80)
    found = overlap(truth, concept, weights[None].astype(float))
    given: dict[str, Any] = {
        "y_true": truth[:, 0],
        "y_pred": concept[:, 0] >= 0.5,
        "sample_weight": weights,
        "zero_division": 0.0,
    }
    assert found.f1[0, 0] == pytest.approx(f1_score(**given))
    assert found.iou[0, 0] == pytest.approx(jaccard_score(**given))
    assert found.concept_given_active[0, 0] == pytest.approx(recall_score(**given))
    assert found.active_given_concept[0, 0] == pytest.approx(precision_score(**given))


def test_the_top_five_percent_are_active() -> None:
    values = np.random.default_rng(0).normal(size=(200, 3)) + 10
    truth = active(values)
    assert truth.sum(0).tolist() == [int(200 * TOP)] * 3
    assert (np.where(truth, values, np.inf).min(0) > np.where(truth, -np.inf, values).max(0)).all()


def test_a_rare_component_is_active_where_it_fires() -> None:
    values = np.zeros((1000, 1))
    values[[3, 5]] = [[0.1], [9.0]]
    assert firing_rate(values)[0] == 0.002
    assert np.flatnonzero(active(values)).tolist() == [3, 5]


def test_ties_with_the_last_active_stimulus_count_too() -> None:
    values = (np.arange(100) < 30).astype(float)[:, None]
    assert active(values).sum() == 30


@pytest.mark.parametrize("constant", [-1.0, 0.0, 2.5])
def test_a_component_without_differences_is_nowhere_active_and_scores_zero(constant: float) -> None:
    truth = active(np.full((80, 1), constant))
    concept = np.random.default_rng(0).random((80, 1))
    assert not truth.any()
    found = overlap(truth, concept, ONE)
    scores = [auprc(truth, concept, ONE), found.f1, found.iou, found.concept_given_active]
    assert [score[0, 0] for score in [*scores, found.active_given_concept]] == [0] * 5


def test_a_concept_that_never_holds_scores_zero_where_an_overlap_is_asked() -> None:
    found = overlap(np.eye(80, 1, dtype=bool), np.zeros((80, 1)), ONE)
    assert (found.f1[0, 0], found.iou[0, 0], found.active_given_concept[0, 0]) == (0, 0, 0)


def test_a_constant_concept_gets_the_share_of_active_stimuli() -> None:
    truth = np.arange(80)[:, None] < 8
    assert auprc(truth, np.full((80, 1), 0.7), ONE)[0, 0] == pytest.approx(0.1)
