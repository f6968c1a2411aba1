"""Pearson agrees with scipy, under weights too, and is 0 where nothing varies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr

from tools.scoring.correlation import correlations, pearson

RNG = np.random.default_rng(0)
VALUES = RNG.normal(size=(60, 5))
CONCEPTS = RNG.uniform(size=(60, 5))


def test_each_column_is_compared_with_its_own_concept_as_scipy_does() -> None:
    expected = [pearsonr(VALUES[:, i], CONCEPTS[:, i]).statistic for i in range(5)]
    np.testing.assert_allclose(pearson(VALUES, CONCEPTS, np.ones((1, 60)))[0], expected, atol=1e-12)


@given(st.integers(0, 10_000))
def test_weights_mean_repeated_stimuli(seed: int) -> None:
    weights = np.random.default_rng(seed).integers(0, 4, size=60)
    repeated = np.repeat(np.arange(60), weights)
    expected = [pearsonr(VALUES[repeated, i], CONCEPTS[repeated, i]).statistic for i in range(5)]
    found = pearson(VALUES, CONCEPTS, weights[None].astype(float))[0]
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_every_concept_is_compared_with_every_component() -> None:
    joint = np.asarray(np.corrcoef(np.vstack([CONCEPTS.T, VALUES.T])))
    expected = joint[:5, 5:]
    np.testing.assert_allclose(correlations(CONCEPTS.T, VALUES), expected, atol=1e-12)
    assert (correlations(np.ones((1, 60), dtype=bool), VALUES) == 0).all()


@pytest.mark.parametrize("constant", [0.0, 1.0, 0.3, 1e8])
def test_a_constant_side_has_correlation_zero_and_no_nan(constant: float) -> None:
    flat = np.full((60, 5), constant)
    assert (pearson(VALUES, flat, np.ones((1, 60))) == 0).all()
    assert (pearson(flat, CONCEPTS, np.ones((1, 60))) == 0).all()


def test_a_resample_that_misses_the_only_positive_has_correlation_zero() -> None:
    concept = np.zeros((60, 1))
    concept[7] = 1
    weights = np.ones((2, 60))
    weights[1, 7] = 0
    found = pearson(concept * 1e4, concept, weights)[:, 0]
    assert found[0] == pytest.approx(1) and found[1] == 0


def test_large_offsets_and_scales_change_nothing() -> None:
    plain = pearson(VALUES, CONCEPTS, np.ones((1, 60)))
    moved = pearson(VALUES * 1e-6 + 100, CONCEPTS * 1e3 - 5e4, np.ones((1, 60)))
    np.testing.assert_allclose(moved, plain, atol=1e-8)
