"""Weighted log-odds: the numbers of the paper's equations, and what they are for."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest
from scipy.stats.contingency import odds_ratio

from tools.scoring.log_odds import log_odds


def test_one_word_by_hand_as_in_equations_16_20_and_22() -> None:
    found = log_odds([8, 92], [2, 98], [5, 95], strength=10)
    prior = 10 * 0.05
    first = log((8 + prior) / (100 + 10 - 8 - prior))
    second = log((2 + prior) / (100 + 10 - 2 - prior))
    assert found.delta[0] == pytest.approx(first - second)
    assert found.z[0] == pytest.approx((first - second) / sqrt(1 / (8 + prior) + 1 / (2 + prior)))


def test_without_a_prior_it_is_the_log_of_the_odds_ratio() -> None:
    found = log_odds([30, 70], [10, 90], [1, 1], strength=1e-9)
    ratio = odds_ratio(np.array([[30, 70], [10, 90]]), kind="sample").statistic
    assert found.delta[0] == pytest.approx(log(ratio), abs=0.01)


def test_swapping_the_piles_turns_the_sign() -> None:
    y, x, known = np.random.default_rng(0).integers(1, 50, size=(3, 20))
    np.testing.assert_allclose(log_odds(y, x, known).z, -log_odds(x, y, known).z, atol=1e-12)


def test_a_word_seen_once_weighs_less_than_one_seen_often() -> None:
    found = log_odds([1, 40, 59], [0, 10, 90], [2, 50, 148])
    assert 0 < found.z[0] < found.z[1]


def test_noise_has_z_about_one() -> None:
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.full(200, 5.0))
    first, second = rng.multinomial(20_000, shares, size=2)
    assert 0.85 < log_odds(first, second, rng.multinomial(1000, shares)).z.std() < 1.1


def test_a_word_in_every_caption_stays_finite() -> None:
    found = log_odds([10, 0], [10, 0], [10, 0])
    assert np.isfinite(found.z).all() and found.z[0] == 0


@pytest.mark.parametrize(
    ("piles", "told"),
    [
        (([-1, 2], [1, 1], [1, 1]), "not negative"),
        (([1, 2], [1, 1], [0, 0]), "not negative"),
        (([1], [1], [1]), "at least two words"),
    ],
)
def test_what_can_not_be_compared_is_refused(piles: tuple[list[int], ...], told: str) -> None:
    first, second, background = piles
    with pytest.raises(ValueError, match=told):
        log_odds(first, second, background)
