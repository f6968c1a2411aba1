"""Differences on the same items: against a likelihood maximized by brute force, SciPy's p, and drawn samples."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from tools.scoring.contrast import Z95
from tools.scoring.paired import Discordant, discordant, paired_difference, paired_p


def brute_score(counts: Discordant, supposed: float) -> float:
    """The score at a supposed difference, its one free share found by trying."""
    first, second, n = counts
    low, high = max(0.0, -supposed) + 1e-9, (1 - supposed) / 2 - 1e-9
    tried = np.linspace(low, high, 200_001)
    rest = n - first - second
    likely = (
        first * np.log(tried + supposed)
        + second * np.log(tried)
        + (rest * np.log(1 - 2 * tried - supposed) if rest else 0.0)
    )
    share = float(tried[int(np.argmax(likely))])
    return (first - second - n * supposed) / sqrt(n * (2 * share + supposed * (1 - supposed)))


@pytest.mark.parametrize("counts", [Discordant(12, 2, 50), Discordant(3, 9, 80), Discordant(40, 1, 44)])
def test_at_both_ends_of_the_interval_the_score_is_that_of_95_per_cent(counts: Discordant) -> None:
    found = paired_difference(counts)
    assert brute_score(counts, found.low) == pytest.approx(Z95, abs=1e-3)
    assert brute_score(counts, found.high) == pytest.approx(-Z95, abs=1e-3)


def test_where_nothing_differs_the_interval_still_has_the_width_of_what_was_not_seen() -> None:
    found = paired_difference(Discordant(0, 0, 100))
    assert (found.low, found.high) == pytest.approx((-(Z95**2) / (100 + Z95**2), Z95**2 / (100 + Z95**2)))
    assert paired_p(Discordant(0, 0, 100)) == 1.0


def test_the_p_is_mcnemars() -> None:
    assert paired_p(Discordant(12, 2, 50)) == pytest.approx(float(chi2.sf((12 - 2) ** 2 / 14, 1)))


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.integers(0, n), st.just(n))))
def test_the_interval_holds_its_value_and_turns_around_with_the_two_things(
    each: tuple[int, int, int],
) -> None:
    first, second, n = each[0], min(each[1], each[2] - each[0]), each[2]
    found, turned = (
        paired_difference(Discordant(first, second, n)),
        paired_difference(Discordant(second, first, n)),
    )
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low), abs=1e-6)


def test_intervals_of_drawn_samples_hold_the_truth_nineteen_times_in_twenty() -> None:
    random = np.random.default_rng(331)
    drawn = random.multinomial(150, [0.09, 0.03, 0.88], size=1500)
    held = [
        found.low <= 0.06 <= found.high
        for found in (paired_difference(Discordant(int(b), int(c), 150)) for b, c, _ in drawn)
    ]
    assert 0.93 <= np.mean(held) <= 0.97


def test_items_that_do_not_pair_up_and_impossible_counts_are_refused() -> None:
    assert discordant([True, True, False], [False, True, True]) == Discordant(1, 1, 3)
    with pytest.raises(ValueError, match="shorter"):
        discordant([True, True], [True])
    with pytest.raises(ValueError, match="impossible"):
        paired_difference(Discordant(3, 3, 5))
