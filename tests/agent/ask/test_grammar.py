"""The grammar: what is understood of a question, and that everything else is refused with the kinds there are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.ask.grammar import understood
from agent.ask.questions import KINDS, Compare, Known, Needed, Question, Used, WhatDoes, Which, Why
from store.address import Extent, Layers, parse, parse_set
from store.errors import UsageError, UserError

EXTENT = Extent("tiny", {"vision": Layers(5, 256, 4), "language": Layers(6, 288, 4)})
ASKED = ("polling", "color", "shape", "background", "counting")
NEURONS = "vision.*.mlp.*,language.*.mlp.*"
HEADS = "vision.*.head.*,language.*.head.*"
UNIT, HEAD = parse("language.3.mlp.17"), parse("language.4.head.1")


def asks(text: str) -> Question:
    return understood(text, EXTENT, ASKED)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("what does language.3.mlp.17 do?", WhatDoes(UNIT)),
        ("What is the neuron language.3.mlp.17 for?", WhatDoes(UNIT)),
        ("describe language.3.mlp.17", WhatDoes(UNIT)),
        ("which neurons carry red star?", Which("carries", "red star", "neurons", NEURONS)),
        ("which neurons respond to a red star?", Which("reads", "red star", "neurons", NEURONS)),
        ("which neurons fire on 'dark background'?", Which("reads", "dark background", "neurons", NEURONS)),
        ("which heads write the color?", Which("writes", "color", "heads", HEADS)),
        ("which heads write polling answers?", Which("writes", "polling", "heads", HEADS)),
        ("which heads carry the answers to color questions?", Which("carries", "color", "heads", HEADS)),
        (
            "which heads carry an object's color to the answer?",
            Which("carries", "color", "heads", HEADS),
        ),
        (
            "Which language heads write the colour?",
            Which("writes", "color", "language heads", "language.*.head.*"),
        ),
        (
            "which neurons in layer 2 read star?",
            Which("reads", "star", "neurons of layer 2", "language.2.mlp.*"),
        ),
        (
            "which vision neurons of layer 1 detect stars",
            Which("reads", "stars", "vision neurons of layer 1", "vision.1.mlp.*"),
        ),
        ("which components carry red star", Which("carries", "red star", "components", "")),
        ("is the background used or only encoded for color questions?", Used("background", "color")),
        ("is red thing used?", Used("red thing", "")),
        ("Is the shape only encoded?", Used("shape", "")),
        ("does it use the background for counting questions?", Used("background", "counting")),
        ("is language.3.mlp.17 used?", Needed(UNIT, "")),
        ("is the head language.4.head.1 needed for color questions?", Needed(HEAD, "color")),
        ("does the model need language.3.mlp.17 for counting questions?", Needed(UNIT, "counting")),
        ("why 'red'?", Why("red")),
        ("Why does it say “red”?", Why("red")),
        ("why is the answer red", Why("red")),
        ("compare language.3.mlp.17 and language.4.head.1", Compare(UNIT, HEAD)),
        ("how do language.3.mlp.17 and language.4.head.1 differ?", Compare(UNIT, HEAD)),
        ("what is known about red star?", Known("red star")),
        ("what do we know about language.3.mlp.17", Known("language.3.mlp.17")),
    ],
)
def test_each_kind_is_understood_in_several_wordings(text: str, meant: Question) -> None:
    assert asks(text) == meant


@pytest.mark.parametrize("text", ["why 'red'?", "is star used?", "which heads write star?"])
def test_what_was_understood_is_said_in_words_that_name_the_concept(text: str) -> None:
    said = asks(text).understood
    assert said.endswith("?")
    assert any(word in said for word in ("red", "star"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ?! ",
        "hello",
        "which neurons?",
        "which elephants carry red star?",
        "how many stars are there?",
        "what is the meaning of life",
        "why",
        "drop table experiment;",
        "which neurons carry the?",
        "x" * 301,
        "compare language.3.mlp.17 and language.3.mlp.17",
    ],
)
def test_every_other_question_is_refused_with_the_kinds_that_there_are(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        asks(text)
    assert refused.value.exit_code == 2
    assert all(kind in refused.value.hint for kind in KINDS)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("what does language.9.mlp.17 do?", "language.5.mlp.17"),
        ("what does language.3.mlp.999 do?", "language.3.mlp.287"),
        ("compare language.3.mlp.17 and vision.9.head.0", "vision.4.head.0"),
    ],
)
def test_a_component_that_is_not_there_is_answered_with_one_that_is(text: str, hint: str) -> None:
    with pytest.raises(UserError) as refused:
        asks(text)
    assert refused.value.kind == "address"
    assert hint in refused.value.hint


def test_an_unknown_kind_of_question_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="`smell` is not a kind of question") as refused:
        asks("is the background used for smell questions?")
    assert "counting" in refused.value.hint


def test_a_layer_that_is_not_there_is_refused() -> None:
    with pytest.raises(UserError):
        asks("which neurons in layer 9 read star?")


def test_what_is_searched_among_is_always_a_set_that_the_target_has() -> None:
    for part in ("neurons", "heads"):
        found = asks(f"which {part} read star?")
        assert isinstance(found, Which)
        assert parse_set(found.among, EXTENT)


@given(st.text(max_size=400))
def test_any_words_are_understood_or_refused_in_a_sentence(text: str) -> None:
    try:
        said = asks(text).understood
    except UserError as refused:
        said = refused.hint
    assert said
