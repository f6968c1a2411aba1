"""Concepts: what is written, and how presences combine."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Float

from store.errors import UserError
from tests.tools.scoring.concepts import columns, concepts
from tools.scoring.concept import All, Any, Concept, Not, Phrase, concept_values, phrases, read
from tools.scoring.grammar import quoted

COLUMNS = {
    "a": np.array([0.0, 0.0, 1.0, 1.0, 0.5]),
    "b": np.array([0.0, 1.0, 0.0, 1.0, 0.5]),
    "red star": np.array([0.2, 0.0, 0.0, 0.0, 1.0]),
}


def values(text: str) -> list[float]:
    return concept_values(text, COLUMNS.__getitem__).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", [0, 0, 1, 1, 0.5]),
        ("!a", [1, 1, 0, 0, 0.5]),
        ("a & b", [0, 0, 0, 1, 0.25]),
        ("a | b", [0, 1, 1, 1, 0.75]),
        ("a & !b", [0, 0, 1, 0, 0.25]),
        ("!(a | b)", [1, 0, 0, 0, 0.25]),
        ("[red  star]", [0.2, 0, 0, 0, 1]),
        ("red star", [0.2, 0, 0, 0, 1]),
        ("RED star", [0.2, 0, 0, 0, 1]),
        ("0.75 a + 0.25 b", [0, 0.25, 0.75, 1, 0.5]),
        ("3.0 a + 1.0 b", [0, 0.25, 0.75, 1, 0.5]),
        ("!(0.75 a + 0.25 b)", [1, 0.75, 0.25, 0, 0.5]),
        ("(0.5 a + 0.5 b) & b", [0, 0.5, 0, 1, 0.375]),
        ("(0.5 a + 0.5 b) | (0.5 a + 0.5 b)", [0, 0.5, 0.5, 1, 0.5]),
    ],
)
def test_presences_combine_as_probabilities_of_independent_events(text: str, expected: list[float]) -> None:
    assert values(text) == pytest.approx(expected)


def test_exactly_one_of_two_is_logic_for_a_sure_judge_and_a_probability_for_another() -> None:
    assert values("(a & !b) | (b & !a)")[:4] == [0, 1, 1, 0]
    p, q = np.array([0.3]), np.array([0.6])
    found = concept_values("(a & !b) | (b & !a)", {"a": p, "b": q}.__getitem__)
    assert found == pytest.approx(p * (1 - q) + q * (1 - p))


def test_a_phrase_has_one_truth_however_often_it_is_said() -> None:
    assert values("a & a") == values("a | a") == values("a")
    assert values("a & !a") == [0] * 5 and values("a | !a") == [1] * 5


def test_a_concept_that_repeats_too_many_phrases_is_refused() -> None:
    many = " & ".join(f"w{number}" for number in range(9))
    with pytest.raises(UserError, match="says 9 phrases more than once") as refusal:
        read(f"({many}) | !({many})")
    assert refusal.value.kind == "concept"
    assert len(phrases(many)) == 9


def test_and_binds_closer_than_or_and_not_closest() -> None:
    a, b, c = Phrase("a"), Phrase("b"), Phrase("c")
    assert read("a | b & !c") == Any((a, All((b, Not(c)))))
    assert read("(a | b) & c") == All((Any((a, b)), c))


def test_phrases_are_told_once_in_order() -> None:
    assert phrases("red star | !(moon & red star) | a  b") == ("red star", "moon", "a b")


@pytest.mark.parametrize(
    "text",
    [
        *("", "  ", "a |", "& a", "a & | b", "(a", "a)", "!", "[]", "[a", "a [b]", "()"),
        *(
            "0.5",
            "0.5 + 0.5 a",
            "a & 0.5 b",
            "a + b +",
            "(" * 400,
            "!" * 400 + "a",
            "(" * 50 + "a" + ")" * 50,
        ),
    ],
)
def test_what_can_not_be_read_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UserError, match="the concept `") as refusal:
        read(text)
    assert refusal.value.kind == "concept" and ("star" in refusal.value.hint)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a | (b & ) | c", "`)` (character 10) where a phrase should stand"),
        ("a (b)", "can't be read from `(` (character 3) on"),
        ("a & (b | c", "never closed, `(` (character 5)"),
        ("a + b", "`+` (character 3) after a part without a weight"),
        ("0.5 a + b", "`b` (character 9) where a weight should stand"),
        ("0.5 a + 0.5 b | c", "`|` (character 15) after a weighted part"),
        ("0.5 a", "weighs one part alone"),
        ("0.0 a + 0.5 b", "has the weight `0.0` (character 1)"),
        ("!" * 30 + "a", "nests deeper than 20 at `!` (character 22)"),
    ],
)
def test_the_place_where_it_breaks_is_told(text: str, told: str) -> None:
    with pytest.raises(UserError, match="the concept `") as refusal:
        read(text)
    assert told in refusal.value.message


@given(st.text(alphabet="ab 0.5|&!+()[]", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(UserError):
        assert phrases(text)


@pytest.mark.parametrize("words", ["red star", "yes!", "a & b", "0.5 liter", "c++", "3.5"])
def test_words_with_signs_are_quoted_into_one_phrase(words: str) -> None:
    assert read(quoted(words)) == Phrase(words)
    assert phrases(f"a | {quoted(words)}") == ("a", words)


def test_numbers_in_phrases_are_no_weights() -> None:
    assert phrases("2 stars | at least 0.5") == ("2 stars", "at least 0.5")


@given(concepts, columns)
def test_presence_stays_between_nothing_and_certainty(
    concept: Concept, table: dict[str, Float[np.ndarray, "stimulus"]]
) -> None:
    found = concept_values(concept, table.__getitem__)
    assert ((found >= 0) & (found <= 1)).all()
