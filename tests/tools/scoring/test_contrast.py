"""Contrasts of shares: Newcombe's interval for two, rare false alarms where nothing differs, and a p that agrees."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from tools.scoring.contrast import Cell, contrast, p_value
from tools.scoring.intervals import difference, wilson


def test_of_two_shares_it_is_newcombes_interval() -> None:
    for first, second in (((56, 70), (48, 80)), ((9, 10), (3, 10)), ((0, 20), (5, 20))):
        found = contrast([Cell(1, *first), Cell(-1, *second)])
        known = difference(wilson(*first), wilson(*second))
        assert (found.value, found.low, found.high, found.n) == pytest.approx(
            (known.value, known.low, known.high, known.n)
        )


def test_p_is_below_5_percent_just_where_the_interval_excludes_zero() -> None:
    random = np.random.default_rng(321)
    for _ in range(200):
        cells = [Cell(weight, int(random.integers(0, 31)), 30) for weight in (1, -1, -1, 1)]
        found = contrast(cells)
        assert (p_value(cells) < 0.05) == (found.low > 0 or found.high < 0)


def test_large_samples_give_the_p_of_the_normal_test() -> None:
    cells = [Cell(1, 5200, 10_000), Cell(-1, 5000, 10_000)]
    z = 0.02 / np.sqrt(0.52 * 0.48 / 1e4 + 0.5 * 0.5 / 1e4)
    assert p_value(cells) == pytest.approx(2 * norm.sf(z), rel=0.05)


def test_where_nothing_differs_false_alarms_stay_rare() -> None:
    random = np.random.default_rng(322)
    alarms = 0
    for _ in range(1000):
        cells = [Cell(weight, int(random.binomial(60, 0.2)), 60) for weight in (1, -1, -1, 1)]
        alarms += p_value(cells) < 0.05
    assert alarms <= 65


def test_shares_of_all_and_none_still_have_an_interval() -> None:
    found = contrast([Cell(1, 10, 10), Cell(-1, 10, 10)])
    assert found.value == 0 and found.low < -0.1 and found.high > 0.1 and p_value([Cell(1, 10, 10)]) < 1


def test_an_empty_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="n >= 1"):
        contrast([Cell(1, 0, 0)])
