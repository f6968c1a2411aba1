"""The parser gives back the question that a text was written from, and nothing for other texts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.tableau.asker import Asker
from experiments.tableau.balanced import balanced
from experiments.tableau.parse import explain, parse
from experiments.tableau.phrases import Phrase
from experiments.tableau.questions import KINDS, TEMPLATES, Fact, Kind, Question
from experiments.tableau.sampler import sample


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_every_wording_of_every_question_is_read_back(kind: Kind, seed: int) -> None:
    question = Asker(sample(seed), np.random.default_rng(seed)).draw(kind)
    if question is None:
        return
    for wording in range(len(TEMPLATES[kind])):
        assert parse(question.text(wording)) == question


@pytest.mark.parametrize("kind", KINDS)
def test_spaces_and_capitals_do_not_matter(kind: Kind) -> None:
    for item in balanced(kind, 12):
        assert parse(item.text.replace(" ?", "?").replace(" .", ".").capitalize()) == item.question
        assert parse(f"  {item.text.upper().replace(' ', '   ')}") == item.question


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


@settings(deadline=None)
@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    assert parse(text) is None or parse(text) is not None


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("Is there an orange moon?", "asks whether there is an orange moon"),
        ("how is the red star filled ?", "asks for the fill of the red star"),
        ("what is the number of large crosses ?", "asks for the number of large crosses"),
        ("what is above the star ?", "asks for the shape of the one thing above the star"),
        ("is the star below the ring ?", "asks whether the star is below the ring"),
        (
            "which is further up , the star or the ring ?",
            "asks for the shape of the thing that is further up, the star or the ring",
        ),
        ("the star is red . what color is the star ?", "asks for the color that the text gives the star"),
    ],
)
def test_explain_says_what_was_understood(text: str, understood: str) -> None:
    assert explain(text) == understood


def test_explain_says_what_is_outside_the_grammar_and_what_is_not() -> None:
    said = explain("why is the sky blue?")
    assert said.startswith(
        "not in the grammar: `why is the sky blue?`; the grammar knows questions such as `"
    )
    examples = said.split("`")[3::2]
    assert len(examples) == 4
    assert all(parse(example) for example in examples)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_explained(kind: Kind) -> None:
    for item in balanced(kind, 4):
        assert explain(item.text).startswith("asks ")
