"""Resamples keep scenes together, intervals agree with scipy and cover, differences are paired."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.stats import bootstrap, pearsonr

from tools.scoring.bootstrap import Resampled, resampled, resamples
from tools.scoring.correlation import pearson


def correlated(rng: np.random.Generator, n: int, rho: float) -> tuple[np.ndarray, np.ndarray]:
    x = rng.normal(size=(n, 1))
    return x, rho * x + np.sqrt(1 - rho**2) * rng.normal(size=(n, 1))


def test_stimuli_of_one_scene_are_drawn_together() -> None:
    drawn = resamples([i // 4 for i in range(40)], draws=50, seed=1)
    blocks = drawn.weights.reshape(51, 10, 4)
    assert (blocks == blocks[..., :1]).all()
    assert (drawn.weights.sum(1) == 40).all() and (drawn.weights[0] == 1).all() and drawn.groups == 10


def test_same_seed_same_resamples() -> None:
    first, again, other = (resamples(range(30), draws=20, seed=seed).weights for seed in (1, 1, 2))
    assert (first == again).all() and (first != other).any()


def test_one_scene_gives_no_interval() -> None:
    with pytest.raises(ValueError, match="at least two independent samples, got 1"):
        resamples(["a", "a"])


def test_intervals_of_a_correlation_agree_with_scipy() -> None:
    x, y = correlated(np.random.default_rng(3), 300, 0.6)
    drawn = resamples(range(300), draws=4000, seed=0)
    found = resampled(pearson(x, y, drawn.weights), drawn).estimates()[0]
    theirs = bootstrap(
        (x[:, 0], y[:, 0]),
        lambda a, b: pearsonr(a, b).statistic,
        paired=True,
        vectorized=False,
        n_resamples=2000,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)
    assert found.n == 300


def test_intervals_cover_the_true_correlation_about_95_times_in_100() -> None:
    rng, covered = np.random.default_rng(0), 0
    drawn = resamples(range(200), draws=400, seed=0)
    for _ in range(20):
        x, y = zip(*(correlated(rng, 200, 0.5) for _ in range(20)), strict=True)
        found = resampled(pearson(np.hstack(x), np.hstack(y), drawn.weights), drawn).estimates()
        covered += sum(estimate.low <= 0.5 <= estimate.high for estimate in found)
    assert 0.91 <= covered / 400 <= 0.98


def test_paired_differences_are_sharper_than_unpaired_ones() -> None:
    rng = np.random.default_rng(0)
    x, y = correlated(rng, 200, 0.7)
    near = y + 0.1 * rng.normal(size=y.shape)
    drawn, apart = resamples(range(200), seed=0), resamples(range(200), seed=9)
    first = resampled(pearson(x, y, drawn.weights), drawn)
    paired = first - resampled(pearson(x, near, drawn.weights), drawn)
    unpaired = first - resampled(pearson(x, near, apart.weights), apart)

    def width(of: Resampled) -> float:
        return of.estimates()[0].high - of.estimates()[0].low

    assert width(paired) < 0.5 * width(unpaired)


def test_p_values_are_small_for_an_effect_and_uniform_without_one() -> None:
    rng = np.random.default_rng(0)
    drawn = resamples(range(150), draws=500, seed=0)
    x, noise = rng.normal(size=(150, 400)), rng.normal(size=(150, 400))
    null = resampled(pearson(x, noise, drawn.weights), drawn).p_values()
    assert 0.02 < (null < 0.05).mean() < 0.09 and null.min() > 0
    assert resampled(pearson(x, x + noise, drawn.weights), drawn).p_values().max() < 0.01


def test_a_thousand_components_take_seconds() -> None:
    rng = np.random.default_rng(0)
    values, concepts = rng.normal(size=(1000, 1000)), (rng.random((1000, 1000)) < 0.1).astype(float)
    began = time.perf_counter()
    drawn = resamples(range(1000), draws=1000, seed=0)
    assert len(resampled(pearson(values, concepts, drawn.weights), drawn).estimates()) == 1000
    assert time.perf_counter() - began < 30
