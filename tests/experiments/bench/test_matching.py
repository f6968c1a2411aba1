"""Concepts are compared by meaning."""

from __future__ import annotations

import pytest

from experiments.bench.matching import NOTHING_SAID, Match, match


@pytest.mark.parametrize(
    ("said", "true"),
    [
        ("crimson", "red thing"),
        ("a red thing", "red"),
        ("star | red thing", "red thing | star"),
        ("striped thing & dark background", "dark background & striped"),
        ("star & (red thing & ring)", "ring & star & red"),
        ("red star", "[a red star]"),
        ("star | star", "star"),
        ("answer is yes", "Answer is  yes"),
    ],
)
def test_other_words_and_orders_say_the_same(said: str, true: str) -> None:
    assert match(said, true) == Match(exact=True, recall=1, precision=1)


@pytest.mark.parametrize(
    ("said", "true", "recall", "precision"),
    [
        ("red thing | star", "red thing & star", 1, 1),
        ("red thing", "red thing & star", 1 / 2, 1),
        ("red thing | star | ring", "red thing | moon", 1 / 2, 1 / 3),
        ("red star", "red thing", 0, 0),
        ("a purple idea", "red thing", 0, 0),
        ("!star", "star", 1, 1),
    ],
)
def test_what_is_not_the_same_counts_by_its_phrases(
    said: str, true: str, recall: float, precision: float
) -> None:
    assert match(said, true) == Match(exact=False, recall=recall, precision=precision)


def test_nothing_said_counts_as_nothing() -> None:
    assert match("", "red thing") == NOTHING_SAID
