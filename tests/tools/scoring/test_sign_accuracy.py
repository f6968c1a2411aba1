"""What is written counts where it follows the right answer, not where it favors the same answers all the time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from tools.scoring.sign_accuracy import favors, shuffled, sign_test

RNG = np.random.default_rng(4)
RIGHT = np.arange(80) % 8


def test_the_right_answer_is_compared_with_the_mean_of_the_others() -> None:
    logits = RNG.normal(size=(80, 8))
    rest = [np.delete(row, right).mean() for row, right in zip(logits, RIGHT, strict=True)]
    assert favors(logits, RIGHT) == pytest.approx(logits[range(80), RIGHT] - rest)


def test_a_head_that_always_says_the_same_is_right_no_oftener_than_with_answers_shuffled() -> None:
    """It pushes one answer down hard, so that the seven others are favored."""
    logits = np.tile([1.0, 1, 1, 1, 1, 1, 1, -7], (80, 1))
    share = float((favors(logits, RIGHT) > 0).mean())
    assert share == pytest.approx(7 / 8) == shuffled(logits, RIGHT)
    assert shuffled(logits, RIGHT, -1) == pytest.approx(1 / 8)
    assert sign_test(70, 80, shuffled(logits, RIGHT)) > 0.9


def test_a_head_that_follows_the_answer_is_far_above_its_own_chance() -> None:
    logits = np.eye(8)[RIGHT]
    assert (favors(logits, RIGHT) > 0).all() and shuffled(logits, RIGHT) == pytest.approx(1 / 8)
    assert sign_test(80, 80, shuffled(logits, RIGHT)) < 1e-20


@pytest.mark.parametrize(("successes", "chance"), [(14, 0.5), (15, 0.7), (2, 0.5), (1, 0.3), (8, 0.5)])
def test_the_test_is_the_exact_binomial_one_on_both_sides(successes: int, chance: float) -> None:
    side, own = ("greater", max(chance, 0.5)) if successes >= 8 else ("less", min(chance, 0.5))
    expected = min(1.0, 2 * binomtest(successes, 16, own, alternative=side).pvalue)
    assert sign_test(successes, 16, chance) == pytest.approx(expected)


def test_a_head_that_writes_nothing_favors_and_disfavors_nothing() -> None:
    nothing = np.zeros((80, 8))
    assert shuffled(nothing, RIGHT) == shuffled(nothing, RIGHT, -1) == 0
    assert sign_test(0, 80, 0.0) == 1


def test_no_share_can_be_made_of_nothing() -> None:
    with pytest.raises(ValueError, match="a share needs"):
        sign_test(0, 0, 0.5)
