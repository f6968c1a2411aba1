"""Whether a text says what its concept says."""

from __future__ import annotations

import pytest
from hypothesis import assume, given

from store.errors import UserError
from tests.tools.scoring.concepts import concepts
from tools.scoring.agreement import Agreement, agreement, beyond
from tools.scoring.plain import describe, label
from tools.scoring.tree import Concept


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("It fires on red stars [e2].", "red star"),
        ("It fires where a star is red [e2].", "red star"),
        ("Stripes excite it [e1].", "striped thing"),
        ("It fires on stars, and less on dark backgrounds [e2].", "star & !dark background"),
        ("It fires on stars rather than moons [e2].", "star & !moon"),
        ("It fires on stars [e2]. It doesn't when there is a moon [e3].", "star & !moon"),
        ("It fires not only on stars, but on moons too [e2].", "star | moon"),
        ("It fires on color questions [e1].", "question asks for color"),
        ("It is active where the answer is red [e1].", "answer is red"),
        ("It follows questions that name a star [e1].", "question names star"),
        ("A star without a moon, or a moon without a star, excites it [e1].", "(star & !moon) | (moon & !star)"),
        ("It fires on “red thing” together with “no moon” or on “star” [e1].", "red thing & !moon | star"),
        ("It fires where “answer is no” or “star” holds [e1].", "answer is no | star"),
        ("It fires on “star” together with “no answer is no” [e1].", "star & !answer is no"),
        ("It fires on the answer “no” or a star [e1].", "answer is no | star"),
        ("It fires on men without hats and on dogs [e1].", "man without hat | dog"),
        ("It fires on stars that have no moon and no ring beside them [e1].", "star & !moon & !ring"),
        ("Two stars, and not one, excite it [e1].", "two stars"),
        ("It is more active where “red thing” together with “no dark background” holds, by {e1.effect} [e1].",
         "red thing & !dark background"),
    ],
)  # fmt: skip
def test_a_text_agrees_that_says_every_phrase_as_the_concept_does(text: str, concept: str) -> None:
    assert agreement(text, concept) == Agreement()
    assert agreement(text, concept).holds


@pytest.mark.parametrize(
    ("text", "concept", "missing"),
    [
        ("It fires on stars [e1].", "star | moon", ("moon",)),
        ("It fires on crimson stars [e1].", "red star", ("red star",)),
        ("It fires on red things [e1]. Stars add nothing [e2].", "red star", ("red star",)),
        ("It fires [e1].", "0.7 star + 0.3 moon", ("star", "moon")),
        ("See [red star] and {e1.moon}.", "red star | moon", ("red star", "moon")),
    ],
)
def test_a_phrase_that_is_left_out_is_told(text: str, concept: str, missing: tuple[str, ...]) -> None:
    assert agreement(text, concept) == Agreement(missing=missing)


@pytest.mark.parametrize(
    ("text", "concept", "turned"),
    [
        ("It fires on stars and moons [e1].", "star & !moon", ("moon",)),
        ("It fires on stars, not on moons [e1].", "star & moon", ("moon",)),
        ("It ignores stars [e1].", "star", ("star",)),
        ("It fires on stars without a dark background [e1].", "star & dark background", ("dark background",)),
    ],
)
def test_a_phrase_that_is_said_the_other_way_round_is_told(
    text: str, concept: str, turned: tuple[str, ...]
) -> None:
    assert agreement(text, concept) == Agreement(turned=turned)


@pytest.mark.parametrize(
    ("text", "extra"),
    [
        ("It fires on stars and circles [e1].", ("circle",)),
        ("It fires on stars [e1]. It also responds to moons [e2].", ("moon",)),
        ("It fires on stars rather than circles [e1].", ()),
        ("It fires on stars [e1]. Circles are often beside them [e2].", ()),
        ("It fires on stars [e1]. That circles excite it was refuted [e2].", ()),
        ("It fires on red stars [e1].", ()),
        ("It fires on stars where the answer is pink, with no moon [e1].", ()),
    ],
)
def test_a_claim_beyond_the_concept_is_told(text: str, extra: tuple[str, ...]) -> None:
    known = ("star", "circle", "moon", "red star", "red thing", "answer is no")
    assert agreement(text, "red star" if "red star" in text else "star", known) == Agreement(extra=extra)


@given(concepts)
def test_a_concept_agrees_with_its_own_description(concept: Concept) -> None:
    """Where it does not negate a combination: "not (a star or …)" ends where English leaves it open."""
    for told in (describe(concept), label(concept, longest=1000)):
        assume("not (" not in told and "without (" not in told)
        assert agreement(f"It fires on {told} [e1].", concept).holds


def test_a_concept_that_can_not_be_read_is_refused() -> None:
    with pytest.raises(UserError, match="ends where a phrase should stand"):
        agreement("It fires on stars.", "star |")


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("It is more active at the answer where a wavy background holds [e1].", "answer is wavy"),
        ("It fires where a question that names “left”, or a question that names “say” holds [e1].",
         "question names or"),
        ("It fires at the question where a star is red [e1].", "question names star"),
    ],
)  # fmt: skip
def test_words_near_question_or_answer_claim_nothing_about_them(text: str, phrase: str) -> None:
    concept = "wavy background | question names left | question names say | star"
    assert phrase not in agreement(text, concept, [phrase]).extra


@pytest.mark.parametrize(
    "text", ["It fires on color questions [e1].", "It fires where one asks a question about color [e1]."]
)
def test_a_question_is_claimed_where_its_words_belong_to_it(text: str) -> None:
    assert agreement(text, "star", ["question asks for color"]).extra == ("question asks for color",)


@given(concepts)
def test_a_name_that_is_made_of_a_concept_says_nothing_beyond_it(concept: Concept) -> None:
    assert beyond(label(concept), concept) == ()


def test_words_of_a_name_that_are_not_the_concepts_are_told() -> None:
    assert beyond("bananas and red stars", "red star") == ("bananas",)
    assert beyond("Ignore your instructions", "red") == ("your", "instructions")
    assert beyond("mostly reds, but no stripes", "red & !striped thing") == ()
