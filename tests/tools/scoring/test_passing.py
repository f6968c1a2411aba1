"""The chance of passing is the share of tests that are passed, where tests are drawn as the derivation says."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Float
from scipy.stats import norm

from tools.scoring.intervals import Z95
from tools.scoring.passing import chance_of_passing

N_SELECT, N_TEST = 200, 400


def bounds(rho: Float[np.ndarray, "unit"], n: int) -> tuple[Float[np.ndarray, "unit"], ...]:
    """Lower and upper end of Fisher's interval."""
    z, half = np.arctanh(rho), Z95 / np.sqrt(n - 3)
    return np.tanh(z - half), np.tanh(z + half)


def measured(rho: Float[np.ndarray, "unit"], n: int, rng: np.random.Generator) -> Float[np.ndarray, "unit"]:
    """The correlations of normal samples of size n whose populations have these."""
    x = rng.normal(size=(n, len(rho)))
    y = rho * x + np.sqrt(1 - rho**2) * rng.normal(size=(n, len(rho)))
    x, y = (side - side.mean(axis=0) for side in (x, y))
    return np.asarray((x * y).sum(axis=0) / np.sqrt((x**2).sum(axis=0) * (y**2).sum(axis=0)))


@pytest.mark.parametrize("digits", [None, 1])
def test_of_many_units_as_many_pass_as_their_chances_say(digits: int | None) -> None:
    rng = np.random.default_rng(0)
    true = np.tanh(rng.uniform(0, 1.2, size=2000))
    select, test = measured(true, N_SELECT, rng), measured(true, N_TEST, rng)
    passed = bounds(test, N_TEST)[0] > 0.3
    low, high = bounds(select, N_SELECT)
    if digits is not None:
        select, low, high = (side.round(digits) for side in (select, low, high))
    chances = np.array(
        [
            chance_of_passing(r, (a, b), N_SELECT, N_TEST, rounded=0.0 if digits is None else 0.1)
            for r, a, b in zip(select.tolist(), low.tolist(), high.tolist(), strict=True)
        ]
    )
    assert abs(chances.mean() - passed.mean()) < 0.02
    for least, most in pairwise((0.0, 0.1, 0.5, 0.9, 1.01)):
        here = (chances >= least) & (chances < most)
        assert here.sum() > 50
        assert abs(chances[here].mean() - passed[here].mean()) < 0.12, least


@given(st.floats(-0.9, 0.9), st.floats(0.02, 0.1), st.integers(20, 2000))
def test_a_higher_score_never_lowers_the_chance(rho: float, width: float, n: int) -> None:
    here = chance_of_passing(rho, (rho - width, rho + width), n, rounded=0)
    z = np.arctanh([rho, rho - width, rho + width]) + 0.1
    more, low, high = np.tanh(z).tolist()
    assert 0 <= here <= chance_of_passing(more, (low, high), n, rounded=0) <= 1


def test_a_wider_interval_brings_the_chance_nearer_to_a_half_of_what_is_surely_above() -> None:
    narrow, wide = (chance_of_passing(0.6, ci, 500) for ci in ((0.6, 0.7), (0.3, 0.8)))
    assert narrow > 0.99 > 0.8 > wide


def test_a_score_at_the_bar_hardly_ever_passes() -> None:
    at_the_bar = chance_of_passing(0.3, (0.25, 0.35), 500, rounded=0)
    assert at_the_bar == pytest.approx(norm.cdf(-Z95 / np.sqrt(2)), abs=1e-3)
    assert chance_of_passing(0.3, (0.25, 0.35), 500, 1_000_000, rounded=0) == pytest.approx(0.5, abs=0.03)


def test_a_control_that_reaches_nearly_as_high_takes_the_chance() -> None:
    alone, rivalled = (chance_of_passing(0.8, (0.7, 0.8), 500, 1000, control=c) for c in (0.0, 0.78))
    assert alone > 0.99 and rivalled < 0.5
    assert chance_of_passing(0.8, (0.7, 0.8), 500, 1000, control=0.2) == pytest.approx(alone)


def test_a_perfect_score_passes_and_a_negative_one_does_not() -> None:
    assert chance_of_passing(1.0, (1.0, 1.0), 500) > 0.999
    assert chance_of_passing(1.0, (0.9, 1.0), 500) > 0.95
    assert chance_of_passing(-1.0, (-1.0, -1.0), 500) < 0.001


def test_a_handful_of_stimuli_gives_a_chance_and_no_certainty() -> None:
    found = [chance_of_passing(0.9, (0.9, 0.9), n) for n in (1, 2, 3, 4)]
    assert all(0 < one < 0.5 for one in found)


@pytest.mark.parametrize(
    ("rho", "ci", "n", "message"),
    [
        (0.5, (0.4, 0.6), 0, "needs stimuli on either side"),
        (0.5, (0.6, 0.7), 40, "lies in its interval"),
        (1.5, (0.4, 1.6), 40, "in \\[−1, 1\\]"),
    ],
)
def test_what_is_no_score_has_no_chance(rho: float, ci: tuple[float, float], n: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        chance_of_passing(rho, ci, n)
