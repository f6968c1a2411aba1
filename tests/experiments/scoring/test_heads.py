"""The three claims of a head: planted ones are found, random heads make none."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from experiments.scoring.heads import claim, reads, when_cut, writes

RNG = np.random.default_rng(0)
ROWS, TOKENS = 60, 30
OF_CLASS = RNG.random((ROWS, TOKENS)) < 0.1
SHOWN = np.arange(TOKENS) < RNG.integers(20, TOKENS + 1, size=(ROWS, 1))


def softmax(logits: np.ndarray) -> np.ndarray:
    weights: np.ndarray = np.exp(logits) * SHOWN
    return weights / weights.sum(1, keepdims=True)


def test_a_head_that_attends_to_the_class_reads_it_and_a_random_one_does_not() -> None:
    reader = reads(softmax(4 * OF_CLASS + RNG.normal(size=(ROWS, TOKENS))), OF_CLASS, SHOWN, split="test")
    random = reads(softmax(RNG.normal(size=(ROWS, TOKENS))), OF_CLASS, SHOWN, split="test")
    assert reader.value > 0.8 and claim(reader, against="the class's share").verdict == "yes"
    assert random.null == pytest.approx((OF_CLASS & SHOWN).sum() / SHOWN.sum())
    assert random.value < 0.25 and reader.n == ROWS


def test_reading_agrees_with_scikit_learn_and_padding_counts_for_nothing() -> None:
    attention = softmax(OF_CLASS + RNG.normal(size=(ROWS, TOKENS)))
    found = reads(attention, OF_CLASS, SHOWN, split="test", draws=20)
    assert found.value == pytest.approx(average_precision_score(OF_CLASS[SHOWN], attention[SHOWN]))
    padded = np.where(SHOWN, attention, 9.0)
    assert reads(padded, OF_CLASS | ~SHOWN, SHOWN, split="test", draws=20) == found


def test_reading_needs_tokens_in_and_outside_the_class() -> None:
    for of_class in (np.zeros_like(OF_CLASS), np.ones_like(OF_CLASS)):
        with pytest.raises(ValueError, match="some tokens are of the class"):
            reads(softmax(RNG.normal(size=(ROWS, TOKENS))), of_class, SHOWN, split="test")


def test_writing_is_the_share_of_right_signs_and_no_effect_is_wrong() -> None:
    claimed = np.array([1.0, 1, -1, -1])
    found = writes(np.array([0.3, 0.0, -2.0, 0.1]), claimed, split="test")
    assert (found.value, found.null, found.n) == (0.5, 0.5, 4)


def test_a_head_that_writes_beats_a_coin_and_one_that_writes_backwards_does_not() -> None:
    claimed = np.where(RNG.random(80) < 0.5, 1.0, -1.0)
    right = claimed * 0.5 + 0.2 * RNG.normal(size=80)
    assert claim(writes(right, claimed, split="test"), against="a coin").verdict == "yes"
    assert claim(writes(-right, claimed, split="test"), against="a coin").verdict == "no"
    noise = writes(RNG.normal(size=80), claimed, split="test")
    assert claim(noise, against="a coin").verdict == "undetermined"


def test_questions_about_one_scene_count_once() -> None:
    claimed = np.ones(60)
    effect = np.repeat(np.where(np.arange(10) < 7, 1.0, -1.0), 6)
    together = writes(effect, claimed, split="test", groups=[i // 6 for i in range(60)])
    apart = writes(effect, claimed, split="test")
    assert together.value == apart.value
    assert together.ci[1] - together.ci[0] > 1.5 * (apart.ci[1] - apart.ci[0])


def test_a_claim_without_a_sign_can_not_be_scored() -> None:
    with pytest.raises(ValueError, match="claimed sign"):
        writes(np.ones(3), np.array([1.0, 0.0, 1.0]), split="test")


def test_a_cut_counts_where_it_hurts_the_named_kind_more_than_others_and_than_other_heads_do() -> None:
    rng = np.random.default_rng(3)
    named, others = rng.normal(size=(20, 80)), rng.normal(size=(20, 200))
    assert claim(when_cut(named, others, split="test"), against="random heads").verdict != "yes"
    named[0] += 1.5
    special = when_cut(named, others, split="test")
    assert claim(special, against="random heads").verdict == "yes"
    assert special.value == pytest.approx(named[0].mean() - others[0].mean()) and special.n == 280
    others[0] += 1.5
    general = when_cut(named, others, split="test")
    assert claim(general, against="random heads").verdict != "yes"


def test_random_heads_hardly_ever_seem_special() -> None:
    rng = np.random.default_rng(5)
    drawn = [(rng.normal(size=(20, 80)), rng.normal(size=(20, 200))) for _ in range(60)]
    claims = [claim(when_cut(*pair, split="test", draws=100), against="random heads") for pair in drawn]
    assert sum(one.verdict == "yes" for one in claims) <= 2


def test_a_cut_needs_other_heads() -> None:
    with pytest.raises(ValueError, match="other heads"):
        when_cut(np.ones((1, 5)), np.ones((1, 5)), split="test")


def test_what_a_head_favors_anyway_is_no_sign_that_it_knows_the_answer() -> None:
    """Seven of eight answers are favored whatever is seen: more than a coin, and no more than with answers shuffled."""
    effect, claimed = np.where(np.arange(80) % 8 < 7, 1.0, -1.0), np.ones(80)
    assert claim(writes(effect, claimed, split="test"), against="a coin").verdict == "yes"
    held = writes(effect, claimed, null=7 / 8, split="test")
    assert held.null == 7 / 8 and claim(held, against="shuffled answers").verdict == "undetermined"
    assert writes(effect, claimed, null=1 / 8, split="test").null == 0.5


def test_a_cut_that_costs_nothing_is_not_special_where_other_cuts_help() -> None:
    rng = np.random.default_rng(6)
    named, others = rng.normal(size=(20, 80)) - 1, rng.normal(size=(20, 200))
    named[0] += 1
    found = when_cut(named, others, split="test")
    assert found.null == 0 and claim(found, against="random heads").verdict == "undetermined"
