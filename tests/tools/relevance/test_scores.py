"""Scores of maps against hand-worked cases, planted masks, and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import auc, jaccard_score

from tools.relevance.scores import area, f1_iou, function_iou, object_iou, otsu, pointing, ranked_groups, saco


def test_saco_of_an_exact_map_is_1_and_of_its_opposite_minus_1() -> None:
    effects = np.random.default_rng(0).normal(size=10)
    assert saco(effects, effects) == pytest.approx(1)
    assert saco(-effects, effects) == pytest.approx(-1)


def test_saco_of_random_maps_is_about_0() -> None:
    random = np.random.default_rng(0)
    drawn = [saco(random.normal(size=10), random.normal(size=10)) for _ in range(2000)]
    assert abs(np.mean(drawn)) < 4 * np.std(drawn) / np.sqrt(len(drawn))
    assert np.std(drawn) > 0.1


def test_saco_weighs_pairs_by_their_difference() -> None:
    """Saliences 3, 1, 0 with effects 1, 2, 0: +3 for the first and last, +1 for the others' order, −2 for the swap."""
    assert saco([3, 1, 0], [1, 2, 0]) == pytest.approx((3 + 1 - 2) / 6)


def test_equal_effects_agree_with_every_order() -> None:
    """As algorithm 1 of Wu et al. has it: saliences 3, 1, 0 with effects 2, 2, 5 give +2 for the tie, −3 and −1."""
    assert saco([3, 1, 0], [2, 2, 5]) == pytest.approx((2 - 3 - 1) / 6)
    assert saco([3, 1, 0], [0, 0, 0]) == 1


def test_a_flat_map_has_no_order_to_be_faithful_by() -> None:
    assert saco([1, 1, 1], [3, 1, 0]) == 0


def saco_pair_by_pair(salience: list[float], effects: list[float]) -> float:
    """The algorithm as it is printed: groups from the most salient on, each beside all after it."""
    order = sorted(range(len(salience)), key=lambda place: -salience[place])
    total = size = 0.0
    for place, one in enumerate(order):
        for other in order[place + 1 :]:
            apart = salience[one] - salience[other]
            total += apart if effects[one] >= effects[other] else -apart
            size += apart
    return total / size if size else 0.0


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-3, 3)), min_size=2, max_size=12))
def test_saco_is_the_papers_algorithm_taken_pair_by_pair(groups: list[tuple[int, int]]) -> None:
    salience, effects = [[float(value) for value in one] for one in zip(*groups, strict=True)]
    assert saco(salience, effects) == pytest.approx(saco_pair_by_pair(salience, effects))


def test_groups_go_from_hot_to_cold_and_hold_every_token_once() -> None:
    assert ranked_groups(np.array([0.0, 5, 1, 4]), 2) == [[1, 3], [2, 0]]
    assert ranked_groups(np.array([0.0, 5]), 10) == [[1], [0]]


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=20))
def test_areas_are_scikit_learns(heights: list[float]) -> None:
    assert area(heights) == pytest.approx(auc(np.linspace(0, 1, len(heights)), heights), abs=1e-9)


@given(st.lists(st.floats(0, 10, width=16), min_size=2, max_size=30))
def test_otsus_cut_is_the_best_of_all(values: list[float]) -> None:
    """Every cut tried by itself: none has more variance between its sides."""
    numbers = np.array(values, dtype=np.float64)

    def between(cut: float) -> float:
        low, high = numbers[numbers <= cut], numbers[numbers > cut]
        return len(low) * len(high) * (high.mean() - low.mean()) ** 2 if len(low) and len(high) else 0.0

    assert between(otsu(numbers)) == pytest.approx(max(map(between, numbers)), abs=1e-9)


def test_the_overlap_is_scikit_learns() -> None:
    random = np.random.default_rng(0)
    heat, mask = random.random((6, 6)), random.random((6, 6)) < 0.3
    assert object_iou(heat, mask, 0.6) == pytest.approx(jaccard_score(mask.ravel(), (heat > 0.6).ravel()))


def test_a_map_that_is_the_mask_overlaps_wholly_and_its_opposite_not() -> None:
    mask = np.zeros((4, 4), bool)
    mask[1:3, 1:3] = True
    assert object_iou(mask.astype(float), mask) == 1
    assert object_iou(1.0 - mask, mask) == 0


def test_function_words_are_scored_by_how_much_stays_cold() -> None:
    assert function_iou(np.array([0.1, 0.2, 0.9, 0.3]), 0.5) == 0.75
    assert function_iou(np.array([0.5, 0.2]), 0.5) == 0.5
    assert f1_iou(0.5, 0.75) == pytest.approx(0.6)
    assert f1_iou(0, 0) == 0


def test_pointing_hits_or_misses_and_shares_ties() -> None:
    mask = np.array([True, False, False])
    assert pointing(np.array([3.0, 1, 0]), mask) == 1
    assert pointing(np.array([1.0, 3, 0]), mask) == 0
    assert pointing(np.array([1.0, 1, 1]), mask) == pytest.approx(1 / 3)
