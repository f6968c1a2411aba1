"""Student's t and two one-sided tests agree with scipy; what is undetermined says what it could have seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student
from scipy.stats import ttest_1samp

from tools.scoring.equivalence import equivalence
from tools.scoring.student import cumulative, quantile


@given(st.floats(-30, 30), st.integers(1, 1999))
def test_students_t_agrees_with_scipy(t: float, df: int) -> None:
    assert cumulative(t, df) == pytest.approx(student.cdf(t, df), abs=1e-10)


@given(st.floats(0.001, 0.999), st.integers(1, 300))
def test_quantiles_agree_with_scipy(share: float, df: int) -> None:
    assert quantile(share, df) == pytest.approx(student.ppf(share, df), rel=1e-7, abs=1e-7)


@pytest.mark.parametrize(("share", "df"), [(0.0, 3), (1.0, 3), (0.5, 0)])
def test_what_has_no_quantile_is_refused(share: float, df: int) -> None:
    with pytest.raises(ValueError, match=r"lies between 0 and 1|degree of freedom"):
        quantile(share, df)


@given(st.integers(0, 10_000), st.floats(0.05, 2))
def test_equivalence_agrees_with_two_one_sided_tests(seed: int, bound: float) -> None:
    values = np.random.default_rng(seed).normal(0.1, 0.5, size=12)
    found = equivalence(values, bound)
    above = ttest_1samp(values, -bound, alternative="greater").pvalue
    below = ttest_1samp(values, bound, alternative="less").pvalue
    assert found.equivalent == (max(above, below) < 0.05)
    plain = ttest_1samp(values, 0.0)
    assert found.p_value == pytest.approx(plain.pvalue)
    assert (found.effect.low, found.effect.high) == pytest.approx(tuple(plain.confidence_interval(0.95)))
    assert found.inner == pytest.approx(tuple(plain.confidence_interval(0.90)))


def test_repeated_values_of_one_scene_prove_nothing_more() -> None:
    values = np.random.default_rng(0).normal(size=15)
    once, thrice = equivalence(values, 1), equivalence(np.repeat(values, 3), 1, [i // 3 for i in range(45)])
    assert once.inner == pytest.approx(thrice.inner) and thrice.effect.n == 15


def test_a_wide_interval_is_undetermined_and_says_what_could_have_been_seen() -> None:
    values = np.random.default_rng(1).normal(size=10)
    found = equivalence(values, 0.2)
    assert found.verdict == "undetermined" and found.detectable > 0.2


def test_the_smallest_detectable_effect_is_found_four_times_in_five() -> None:
    rng = np.random.default_rng(0)
    detectable = float(np.mean([equivalence(rng.normal(size=20), 1).detectable for _ in range(200)]))
    found = [equivalence(rng.normal(detectable, 1, size=20), 1).differs for _ in range(400)]
    assert 0.72 < np.mean(found) < 0.9


def test_no_effect_at_all_is_equivalent_and_a_large_one_is_different() -> None:
    assert equivalence([0.0] * 5, 0.1).verdict == "equivalent"
    assert equivalence([0.0] * 5, 0.1).p_value == 1
    assert equivalence(np.arange(5) + 3.0, 0.1).verdict == "different"


@pytest.mark.parametrize(
    ("values", "bound", "told"),
    [([1.0], 1.0, "two independent"), ([1.0, np.nan], 1.0, "not finite"), ([1.0, 2.0], 0.0, "positive")],
)
def test_what_can_not_be_tested_is_refused(values: list[float], bound: float, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        equivalence(values, bound)
