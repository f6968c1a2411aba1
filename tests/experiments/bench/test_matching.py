"""Concepts are compared by meaning."""

from __future__ import annotations

import pytest

from experiments.bench.matching import NOTHING_SAID, Match, match, match_beside, match_both, match_counted


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
        ("!crimson & heart", "heart & !red thing"),
        ("(moon & !star) | (star & !moon)", "(star & !moon) | (moon & !star)"),
        ("more than one star", "at least two stars"),
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
        ("star", "star & !ring", 1 / 2, 1),
        ("star | ring", "(star & !ring) | (ring & !star)", 1 / 2, 1),
        ("star", "at least two stars", 0, 0),
    ],
)
def test_what_is_not_the_same_counts_by_its_phrases(
    said: str, true: str, recall: float, precision: float
) -> None:
    assert match(said, true) == Match(exact=False, recall=recall, precision=precision)


def test_to_rule_something_out_is_not_to_say_it() -> None:
    assert match("!star", "star") == Match(exact=False, recall=0, precision=0)


@pytest.mark.parametrize("said", ["", "red &", "(star"])
def test_nothing_said_counts_as_nothing_and_so_does_what_cannot_be_read(said: str) -> None:
    assert (
        match(said, "red thing")
        == match_both(said, "red | star")
        == match_beside(said, "red")
        == NOTHING_SAID
    )


@pytest.mark.parametrize(
    ("said", "exact", "recall"),
    [
        ("moon | star", True, 1),
        ("0.7 star + 0.3 moon", True, 1),
        ("star & moon", False, 1),
        ("star", False, 1 / 2),
        ("star & !moon", False, 1 / 2),
    ],
)
def test_two_faces_are_exact_in_any_weights_but_not_together(said: str, exact: bool, recall: float) -> None:
    found = match_both(said, "star | moon")
    assert (found.exact, found.recall) == (exact, recall)


def test_beside_its_exceptions_a_concept_is_what_it_does_not_rule_out() -> None:
    assert match_beside("red thing & !striped thing", "crimson") == Match(exact=True, recall=1, precision=1)
    assert not match_beside("red star & !striped thing", "red thing").exact


def test_a_thing_without_its_number_is_named_and_not_exact() -> None:
    assert match_counted("star", "at least two stars", "stars") == Match(exact=False, recall=1, precision=1)
    assert match_counted("at least 2 stars", "at least two stars", "stars").exact
    assert match_counted("ring", "at least two stars", "stars").recall == 0
