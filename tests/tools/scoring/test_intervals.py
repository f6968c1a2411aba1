"""Intervals agree with scipy and cover what they claim to cover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from tools.scoring.intervals import bootstrap_difference, bootstrap_mean, bootstrap_median, wilson


@st.composite
def shares(draw: st.DrawFn) -> tuple[int, int]:
    n = draw(st.integers(1, 100_000))
    return draw(st.integers(0, n)), n


@given(shares())
def test_wilson_agrees_with_scipy(share: tuple[int, int]) -> None:
    estimate = wilson(*share)
    expected = binomtest(*share).proportion_ci(confidence_level=0.95, method="wilson")
    assert estimate.low == pytest.approx(expected.low, abs=1e-9)
    assert estimate.high == pytest.approx(expected.high, abs=1e-9)


@given(shares())
def test_wilson_holds_its_share_and_stays_a_share(share: tuple[int, int]) -> None:
    estimate = wilson(*share)
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert estimate.n == share[1]


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_what_is_no_share(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="0 <= successes <= n"):
        wilson(successes, n)


finite = st.floats(-1e6, 1e6)


@given(st.lists(finite, min_size=2, max_size=50), st.integers(0, 2**32))
def test_the_bootstrap_holds_the_mean_within_the_values(values: list[float], seed: int) -> None:
    estimate = bootstrap_mean(values, seed=seed, draws=50)
    slack = 1e-9 * max(map(abs, values))
    assert min(values) - slack <= estimate.low <= estimate.value <= estimate.high <= max(values) + slack
    assert estimate.value == pytest.approx(np.mean(values), abs=1e-6)
    assert estimate.n == len(values)


@given(st.lists(finite, min_size=2, max_size=30), finite)
def test_shifting_the_values_shifts_the_bootstrap(values: list[float], shift: float) -> None:
    plain = bootstrap_mean(values, draws=50)
    shifted = bootstrap_mean(np.add(values, shift), draws=50)
    assert shifted.low - plain.low == pytest.approx(shift, abs=1e-6)
    assert shifted.high - plain.high == pytest.approx(shift, abs=1e-6)


def test_same_seed_same_interval() -> None:
    values = np.random.default_rng(0).normal(size=40)
    assert bootstrap_mean(values, seed=3) == bootstrap_mean(values, seed=3)
    assert bootstrap_mean(values, seed=3) != bootstrap_mean(values, seed=4)


def test_the_bootstrap_agrees_with_the_normal_interval_on_many_values() -> None:
    values = np.random.default_rng(0).normal(size=2000)
    estimate = bootstrap_mean(values)
    half = 1.96 * values.std() / np.sqrt(2000)
    assert estimate.high - estimate.value == pytest.approx(half, rel=0.1)
    assert estimate.value - estimate.low == pytest.approx(half, rel=0.1)


def test_values_of_one_group_count_as_one_sample() -> None:
    values = np.random.default_rng(0).normal(size=100)
    alone = bootstrap_mean(values)
    repeated = bootstrap_mean(
        np.repeat(values, 10), groups=[group for group in range(100) for _ in range(10)]
    )
    assert repeated.n == 100
    assert (repeated.low, repeated.high) == pytest.approx((alone.low, alone.high), abs=1e-12)


def test_the_bootstrap_covers_the_true_mean_about_95_times_in_100() -> None:
    rng = np.random.default_rng(0)
    estimates = [bootstrap_mean(rng.exponential(size=100), draws=400) for _ in range(400)]
    covered = np.mean([estimate.low <= 1 <= estimate.high for estimate in estimates])
    assert 0.90 <= covered <= 0.98


def test_one_group_gives_no_interval() -> None:
    with pytest.raises(ValueError, match="at least two independent samples, got 1"):
        bootstrap_mean([1.0, 2.0, 3.0], groups=["a", "a", "a"])


def test_values_that_are_not_finite_give_no_interval() -> None:
    with pytest.raises(ValueError, match="not finite"):
        bootstrap_mean([1.0, float("nan")])


def test_groups_must_pair_up_with_values() -> None:
    with pytest.raises(ValueError, match="3 values need as many groups, got 2"):
        bootstrap_mean([1.0, 2.0, 3.0], groups=["a", "b"])


def test_a_paired_difference_sees_what_two_means_would_not() -> None:
    rng = np.random.default_rng(0)
    first = rng.normal(0, 5, size=60)
    second = first - 0.3 + rng.normal(0, 0.2, size=60)
    apart = bootstrap_difference(first, second)
    assert apart.low > 0 and apart.value == pytest.approx(bootstrap_mean(first).value - second.mean())
    assert bootstrap_mean(first).low < second.mean() < bootstrap_mean(first).high


def test_values_that_do_not_pair_up_have_no_difference() -> None:
    with pytest.raises(ValueError, match="one by one"):
        bootstrap_difference([1.0, 2.0], [1.0])


def test_the_median_has_an_interval_that_covers_it_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    found = [bootstrap_median(rng.normal(2, 1, size=60), seed=i, draws=400) for i in range(200)]
    assert 0.90 <= np.mean([one.low <= 2 <= one.high for one in found]) <= 0.99
    assert found[0].n == 60
    with pytest.raises(ValueError, match="at least two"):
        bootstrap_median([1.0])
