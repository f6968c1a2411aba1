"""Concepts: what is written, and how presences combine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import UserError
from tools.scoring.concept import All, Any, Concept, Not, Phrase, concept_values, phrases, read

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
    ],
)
def test_presences_combine_as_probabilities_of_independent_events(text: str, expected: list[float]) -> None:
    assert values(text) == pytest.approx(expected)


def test_and_binds_closer_than_or_and_not_closest() -> None:
    a, b, c = Phrase("a"), Phrase("b"), Phrase("c")
    assert read("a | b & !c") == Any((a, All((b, Not(c)))))
    assert read("(a | b) & c") == All((Any((a, b)), c))


def test_phrases_are_told_once_in_order() -> None:
    assert phrases("red star | !(moon & red star) | a  b") == ("red star", "moon", "a b")


@pytest.mark.parametrize(
    "text", ["", "  ", "a |", "& a", "a & | b", "(a", "a)", "!", "[]", "[a", "a [b]", "()"]
)
def test_what_can_not_be_read_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UserError, match="the concept `") as refusal:
        read(text)
    assert refusal.value.kind == "concept" and "red star | moon" in refusal.value.hint


trees = st.recursive(
    st.sampled_from([Phrase("a"), Phrase("b"), Phrase("red star")]),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Any(tuple(parts))),
    ),
    max_leaves=8,
)


def written(concept: Concept) -> str:
    match concept:
        case Phrase(words):
            return f"[{words}]"
        case Not(part):
            return f"!{written(part)}"
        case All(parts):
            return f"({' & '.join(map(written, parts))})"
        case Any(parts):
            return f"({' | '.join(map(written, parts))})"


@given(trees)
def test_what_is_written_is_read_back(concept: Concept) -> None:
    assert read(written(concept)) == concept
    found = concept_values(concept, COLUMNS.__getitem__)
    assert ((found >= 0) & (found <= 1)).all()
