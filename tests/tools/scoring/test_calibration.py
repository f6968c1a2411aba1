"""Probabilities that come true show no error beyond chance, others do; the map that mends them is monotone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Bool, Float
from sklearn.linear_model import LogisticRegression

from tools.scoring.calibration import OddsMap, fit_odds_map, reliability

Said = Float[np.ndarray, "outcome"]


def drawn(n: int, seed: int, sharper: float = 1.0) -> tuple[Said, Bool[np.ndarray, "outcome"]]:
    """Probabilities and what came of them; `sharper` says how many times too large their log odds are."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(0.5, 1.5, size=n)
    true = rng.random(n) < 1 / (1 + np.exp(-odds))
    return 1 / (1 + np.exp(-sharper * odds)), true


def test_true_probabilities_show_no_error_beyond_chance() -> None:
    found = [reliability(*drawn(150, seed), draws=300) for seed in range(60)]
    assert sum(one.error.value <= one.chance for one in found) >= 51
    assert sum(one.gap.low <= 0 <= one.gap.high for one in found) >= 51
    assert np.median([one.error.value for one in found]) < 0.1
    assert all(one.brier.value < one.ignorant for one in found)


def test_overconfident_ones_show_one() -> None:
    found = [reliability(*drawn(150, seed, sharper=4), draws=300) for seed in range(20)]
    assert sum(one.error.value > one.chance and one.error.low > 0.03 for one in found) >= 18


def test_probabilities_that_are_all_too_high_leave_a_gap() -> None:
    said, true = drawn(200, 0)
    high = reliability(np.sqrt(said), true)
    assert high.gap.low > 0.05 and high.error.value > high.chance
    low = reliability(said**3, true)
    assert low.gap.high < -0.05


def test_the_error_is_that_of_the_definition() -> None:
    found = reliability([0.1, 0.1, 0.9, 0.9, 0.95, 1.0], [0, 1, 1, 1, 1, 0])
    assert found.error.value == pytest.approx((2 * abs(0.1 - 0.5) + 4 * abs(0.9375 - 0.75)) / 6)
    assert found.brier.value == pytest.approx((0.01 + 0.81 + 0.01 + 0.01 + 0.0025 + 1) / 6)
    assert [(one.low, one.high, one.true.n) for one in found.bins] == [(0.1, 0.2, 2), (0.9, 1.0, 4)]
    assert found.bins[1].said == pytest.approx(0.9375) and found.bins[1].true.value == 0.75


@pytest.mark.parametrize("tenth", range(11))
def test_a_tenth_opens_its_own_bin_and_ties_share_it(tenth: int) -> None:
    (one,) = reliability([tenth / 10] * 4, [1, 0, 1, 1]).bins
    assert (one.low, one.true.n) == (min(tenth, 9) / 10, 4)


def test_of_one_class_there_is_a_score_and_the_map_keeps_its_slope() -> None:
    said = [0.5, 0.7, 0.9, 0.9]
    found = reliability(said, [1, 1, 1, 1])
    assert found.gap.value == pytest.approx(-0.25) and found.ignorant == 0
    for true in ([1] * 4, [0] * 4):
        fitted = fit_odds_map(said, true)
        assert fitted.slope == 1 and (fitted.shift > 0) == bool(true[0])
        assert fitted(said).mean() == pytest.approx(5 / 6 if true[0] else 1 / 6, abs=1e-6)


def test_the_map_is_a_logistic_regression_of_softened_outcomes() -> None:
    said, true = drawn(120, 3, sharper=2)
    fitted = fit_odds_map(said, true)
    odds, hits = np.log(said / (1 - said)).clip(-np.log(99), np.log(99)), int(true.sum())
    high, low = (hits + 1) / (hits + 2), 1 / (120 - hits + 2)
    soft = np.where(true, high, low)
    rows, ends = np.concatenate([odds, odds])[:, None], np.repeat([1, 0], 120)
    theirs = LogisticRegression(C=np.inf, tol=1e-10).fit(
        rows, ends, sample_weight=np.concatenate([soft, 1 - soft])
    )
    assert fitted.slope == pytest.approx(theirs.coef_[0, 0], abs=1e-3)
    assert fitted.shift == pytest.approx(theirs.intercept_[0], abs=1e-3)


def test_a_map_that_was_fitted_elsewhere_mends_overconfidence() -> None:
    fitted = fit_odds_map(*drawn(400, 1, sharper=2.5))
    said, true = drawn(400, 2, sharper=2.5)
    before, after = reliability(said, true), reliability(fitted(said), true)
    assert fitted.slope == pytest.approx(0.4, abs=0.12)
    assert before.error.value > before.chance and after.error.value <= after.chance
    assert after.brier.value < before.brier.value


def test_outcomes_without_an_exception_make_nobody_certain() -> None:
    fitted = fit_odds_map([0.1, 0.2, 0.3, 0.7, 0.8, 0.9], [0, 0, 0, 1, 1, 1])
    assert fitted([0.1, 0.9]).tolist() == pytest.approx([0.15, 0.85], abs=0.05)


@given(
    st.lists(st.tuples(st.sampled_from([0, 0.2, 0.5, 0.8, 1]), st.booleans()), min_size=2, max_size=30),
)
def test_the_map_is_monotone_whatever_it_was_fitted_to(outcomes: list[tuple[float, bool]]) -> None:
    fitted = fit_odds_map([p for p, _ in outcomes], [came for _, came in outcomes])
    steps = np.diff(fitted(np.linspace(0, 1, 50)))
    assert np.isfinite([fitted.slope, fitted.shift]).all() and (steps >= 0).all()


def test_where_higher_probabilities_come_true_less_often_the_map_says_the_share() -> None:
    fitted = fit_odds_map([0.2] * 10 + [0.8] * 10, [1] * 8 + [0] * 2 + [1] * 2 + [0] * 8)
    assert fitted.slope == 0 and fitted([0.2, 0.8]).tolist() == pytest.approx([0.5, 0.5])


def test_shift_0_and_slope_1_change_nothing() -> None:
    assert OddsMap(1, 0, 2)([0.05, 0.5, 0.9]).tolist() == pytest.approx([0.05, 0.5, 0.9])


@pytest.mark.parametrize(
    ("said", "true", "message"),
    [([0.5], [1], "two at least"), ([0.5, 0.6], [1], "pair up"), ([0.5, 1.2], [1, 0], "between 0 and 1")],
)
def test_what_is_no_probability_or_has_no_outcome_is_refused(
    said: list[float], true: list[int], message: str
) -> None:
    for measure in (reliability, fit_odds_map):
        with pytest.raises(ValueError, match=message):
            measure(said, true)
