"""The token activation map on hand-worked cases."""

from __future__ import annotations

import numpy as np
import pytest

from tools.relevance.tam import beside_words, rank_gaussian, without_context


def test_what_the_context_explains_is_taken_away() -> None:
    """E is the mean of the contexts' maps at weights 1 and 3: (1, 0, 1). ⟨A,E⟩ = 8, ⟨E,E⟩ = 2, so that s = 4."""
    context = np.array([[4.0, 0, 1], [0, 0, 1]])
    found = without_context(np.array([2.0, 5, 6]), context, np.array([1.0, 3]))
    assert found == pytest.approx([0, 5, 2])


def test_a_word_that_is_all_context_leaves_nothing() -> None:
    raw = np.array([1.0, 2, 3])
    assert without_context(raw, np.array([2 * raw]), np.array([1.0])) == pytest.approx([0, 0, 0])


def test_a_map_is_scaled_together_with_the_words_of_the_prompt() -> None:
    """Tokens 1 and 3 beside words 2 and 5: from 1 to 5, so that they stand at 0 and 0.5."""
    assert beside_words(np.array([1.0, 3]), np.array([2.0, 5])) == pytest.approx([0, 0.5])
    assert beside_words(np.array([1.0, 3]), np.zeros(0)) == pytest.approx([0, 1])
    assert beside_words(np.array([2.0, 2]), np.array([2.0])) == pytest.approx([0, 0])


def test_without_context_the_raw_map_stays() -> None:
    raw = np.array([1.0, 2, 3])
    assert without_context(raw, np.zeros((0, 3)), np.zeros(0)) == pytest.approx(raw)
    assert without_context(raw, np.zeros((1, 3)), np.array([1.0])) == pytest.approx(raw)


def test_a_constant_positive_window_keeps_its_value() -> None:
    assert rank_gaussian(np.full((4, 5), 2.5)) == pytest.approx(np.full((4, 5), 2.5))
    assert rank_gaussian(np.zeros((3, 3))) == pytest.approx(np.zeros((3, 3)))


def test_the_middle_of_a_window_is_its_sorted_values_under_a_gaussian_of_ranks() -> None:
    """1 … 9 in any order: σ = std / mean = √(60/9) / 5 = 0.5164; the weights of ranks ±1 are exp(−1 / 2σ²) = 0.1534,
    of ±2 exp(−4 / 2σ²) = 0.00055, and the sum is symmetric about the middle value 5."""
    window = np.array([[9.0, 1, 8], [2, 7, 3], [6, 4, 5]])
    assert rank_gaussian(window)[1, 1] == pytest.approx(5)


def test_a_lone_spike_is_smoothed_away_and_a_skewed_window_leans() -> None:
    spike = np.zeros((5, 5))
    spike[2, 2] = 9.0
    assert rank_gaussian(spike).max() < 0.6
    window = np.array([[0.0, 0, 0], [0, 1, 3], [3, 3, 3]])
    ordered = np.sort(window.ravel())
    sigma = ordered.std() / ordered.mean()
    weight = np.exp(-(np.arange(-4, 5) ** 2) / (2 * sigma**2))
    assert rank_gaussian(window)[1, 1] == pytest.approx((ordered * weight).sum() / weight.sum())
