"""A class of tokens is found by attention that ranks it first, and at chance by attention to nothing in particular."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from tools.scoring.retrieval import average_precision
from tools.scoring.token_class import found, value

RNG = np.random.default_rng(2)
ROWS, TOKENS = 40, 12
OF_CLASS = np.arange(TOKENS) < RNG.integers(1, 5, size=(ROWS, 1))
SHOWN = np.ones((ROWS, TOKENS), dtype=bool)


def test_attention_that_is_the_same_everywhere_finds_a_class_at_chance() -> None:
    told = found(np.full((ROWS, TOKENS), 1 / TOKENS), OF_CLASS, SHOWN, draws=50)
    assert told.auprc.value == pytest.approx(told.chance) == pytest.approx(OF_CLASS.mean())


def test_attention_to_the_class_alone_finds_all_of_it() -> None:
    told = found(OF_CLASS / OF_CLASS.sum(1, keepdims=True), OF_CLASS, SHOWN, draws=50)
    assert (told.auprc.value, told.auprc.low) == (1, 1)


def test_rows_of_one_picture_are_drawn_together() -> None:
    attention = RNG.random((ROWS, TOKENS)) + 0.3 * OF_CLASS
    told = found(attention, OF_CLASS, SHOWN, groups=[row // 8 for row in range(ROWS)], draws=200)
    assert told.auprc.n == 5 and found(attention, OF_CLASS, SHOWN, draws=200).auprc.n == ROWS
    assert value(attention, OF_CLASS, SHOWN) == pytest.approx(told.auprc.value)


def test_many_thousand_tokens_with_ties_and_weights_agree_with_scikit_learn() -> None:
    scores = RNG.integers(0, 500, 20_000) / 500
    truth = RNG.random(20_000) < 0.2 + 0.5 * scores
    weights = RNG.multinomial(20_000, np.full(20_000, 1 / 20_000), size=3).astype(float)
    expected = [average_precision_score(truth, scores, sample_weight=row) for row in weights]
    assert average_precision(truth, scores, weights) == pytest.approx(expected)
