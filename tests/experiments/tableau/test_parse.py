"""The parser gives back the question that a text was written from, and nothing for other texts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.tableau.asker import Asker
from experiments.tableau.parse import parse
from experiments.tableau.phrases import Phrase
from experiments.tableau.questions import KINDS, TEMPLATES, Fact, Kind, Question
from experiments.tableau.sampler import sample


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 10_000))
def test_every_wording_of_every_question_is_read_back(kind: Kind, seed: int) -> None:
    question = Asker(sample(seed), np.random.default_rng(seed)).draw(kind)
    if question is None:
        return
    for wording in range(len(TEMPLATES[kind])):
        assert parse(question.text(wording)) == question


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("What color is the star?", Question("color", Phrase(shape="star"))),
        ("is there an orange moon ?", Question("polling", Phrase(color="orange", shape="moon"))),
        ("how many things are there ?", Question("counting")),
        ("what color is the thing left of the star ?", Question("two_hop", Phrase(shape="star"), "left of")),
        (
            "which is further up , the star or the ring ?",
            Question("compare", Phrase(shape="star"), "above", Phrase(shape="ring")),
        ),
        (
            "the star is red . the ring is blue . what color is the ring ?",
            Question("context", Phrase(shape="ring"), facts=(Fact("star", "red"), Fact("ring", "blue"))),
        ),
    ],
)
def test_texts_and_their_questions(text: str, question: Question) -> None:
    assert parse(text) == question


@pytest.mark.parametrize(
    "text",
    [
        "",
        "why is the sky blue ?",
        "what color is the crimson disc ?",
        "is there a orange moon ?",
        "how many star are there ?",
        "what color is the red large star ?",
        "the star is tall . what color is the star ?",
        "what color is the star",
        "what color is the star $ ?",
    ],
)
def test_what_the_grammar_does_not_hold_gives_none(text: str) -> None:
    assert parse(text) is None


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    assert parse(text) is None or parse(text) is not None
