"""Receipts: sentences cite, numbers come from what they cite, and what is filled in is what was measured."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.receipts import (
    broken_references,
    citations,
    fill,
    foreign_numbers,
    rounded,
    sentences,
    uncited,
    unknown_numbers,
)
from store.records import Experiment, Quantity


def experiment(number: int = 3, error: str = "", **quantities: Quantity) -> Experiment:
    told: dict[str, Any] = {
        "summary": "12 of 15 pictures show a star",
        "quantities": {name: quantity.model_dump(mode="json") for name, quantity in quantities.items()},
    }
    return Experiment(
        number=number,
        run="r",
        thread="language.0.mlp.3",
        step=0,
        call=0,
        tool="weigh",
        arguments={"k": 24},
        seed=0,
        fingerprint="f",
        code="c",
        result=told,
        error=error,
    )


EFFECT = Quantity(value=0.6234, unit="logits", ci=(0.511, 0.742), n=40, control=0.05)
SHARE = Quantity(value=93.4, unit="%")
HAVE = {
    3: experiment(3, effect=EFFECT),
    7: experiment(7, share=SHARE),
    9: experiment(9, error="out of memory"),
}


def test_a_citation_behind_the_full_stop_belongs_to_the_sentence_before() -> None:
    assert sentences("It fires on red. [e3] Blue does nothing [e7].") == [
        "It fires on red. [e3]",
        "Blue does nothing [e7].",
    ]


def test_a_sentence_may_begin_with_its_citation() -> None:
    assert sentences("Red drives it [e3]. [e7] shows that blue does not.") == [
        "Red drives it [e3].",
        "[e7] shows that blue does not.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "It fires on warm colors, e.g. red, by {e3.effect} [e3].",
        "It rose to 0.62 [e3].",
        'It reads "red?" as a word [e3].',
        "`language.0.mlp.3` fires on red [e3].",
    ],
)
def test_points_that_end_no_sentence_split_none(text: str) -> None:
    assert sentences(text) == [text]


def test_several_experiments_in_one_mark_are_all_cited() -> None:
    assert citations("Red [e3, e7] and {e9.effect}.") == (3, 7, 9)


def test_each_sentence_without_a_receipt_is_found() -> None:
    assert list(uncited("It fires on red [e3]. It likes red! Blue: {e7.share}.")) == ["It likes red!"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Red [e12].", "`e12` is not an experiment of this thread, which has e3, e7, e9"),
        ("Red [e9].", "`e9` failed"),
        ("Red {e3.size}.", "`{e3.size}`: e3 does not have it; it has `effect`"),
        ("Red {effect}.", "`{effect}` is not a reference to a number"),
        ("Red { [e3].", "`{` is not a reference"),
        ("Red {e7.share.low}.", "e7 does not have it"),
    ],
)
def test_a_broken_mark_is_told_with_what_to_write_instead(text: str, told: str) -> None:
    assert told in " ".join(broken_references(text, HAVE))


@pytest.mark.parametrize(
    "text",
    [
        "By 0.62 logits [e3].",
        "By 0.6 [e3].",
        "Between 0.51 and 0.74 [e3].",
        "In 40 pictures [e3].",
        "Only 0.05 for the control, a difference of 0.57 [e3].",
        "In 12 of 15 pictures of the 24 [e3].",
        "In 93.4 % of the pictures [e7].",
        "In 93% of the pictures [e7].",
        "In twelve pictures [e3].",
        "In layer 3 and head 2, as h1 says, `language.0.mlp.17` fires [e3].",
    ],
)
def test_numbers_that_the_cited_experiment_holds_may_be_written_out(text: str) -> None:
    assert list(foreign_numbers(text, HAVE)) == []


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("By 0.63 [e3].", ["0.63"]),
        ("By 0.62 [e7].", ["0.62"]),
        ("By 1 [e3].", ["1"]),
        ("By -0.62 [e3].", ["-0.62"]),
        ("In 94 % [e7].", ["94 %"]),
        ("x0.99 more [e3].", ["0.99"]),
        ("By ½ [e3].", ["½"]),
        ("Twice as much [e3].", ["Twice"]),
        ("In ninety pictures [e3].", ["ninety"]),
        ("A fivefold rise [e3].", ["fivefold"]),
        ("٣ pictures [e7].", ["٣"]),
    ],
)
def test_numbers_from_nowhere_are_found_in_digits_and_in_words(text: str, foreign: list[str]) -> None:
    assert list(foreign_numbers(text, HAVE)) == foreign


def test_a_number_from_another_sentences_experiment_is_no_receipt() -> None:
    assert list(foreign_numbers("Red drives it [e3]. Blue by 0.62 [e7].", HAVE)) == ["0.62"]


def test_words_of_a_name_are_no_measurements_but_a_name_can_not_smuggle_one() -> None:
    assert list(unknown_numbers("It counts two stars.", [], ["two stars"])) == []
    assert list(unknown_numbers("It has 0.99 accuracy.", [], ["0.99 accuracy"])) == ["0.99"]


def test_a_quoted_word_of_the_cited_experiment_is_no_measurement() -> None:
    assert not list(foreign_numbers("It writes “12” and “star” [e3].", HAVE))
    assert list(foreign_numbers("It writes “thirteen” [e3].", HAVE)) == ["thirteen"]
    wrote = experiment().model_copy(update={"result": {"summary": "it writes: up three, blue"}})
    assert not list(foreign_numbers("Its output points toward “three” [e3].", {3: wrote}))
    assert list(foreign_numbers("It writes “three” three times [e3].", {3: wrote})) == ["three"]


def test_references_become_numbers_with_units_and_leave_a_citation() -> None:
    assert fill("Red adds {e3.effect}.", HAVE) == "Red adds 0.62 logits [e3]."
    assert fill("Red adds {e3.effect} [e3, e7].", HAVE) == "Red adds 0.62 logits [e3] [e7]."
    assert fill("Red adds {e3.effect} logits ({e3.effect.ci}, n = {e3.effect.n}).", HAVE) == (
        "Red adds 0.62 logits (0.51 to 0.74, n = 40) [e3]."
    )
    assert fill("In {e7.share} of them! Control: {e3.effect.control}", HAVE) == (
        "In 93.4% of them [e7]! Control: 0.05 [e3]"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.6234, "0.62"),
        (0.05, "0.05"),
        (0.00431, "0.0043"),
        (34.12, "34.1"),
        (1203.7, "1204"),
        (15.0, "15"),
        (-0.3, "-0.30"),
    ],
)
def test_numbers_are_written_with_the_digits_that_a_reader_wants(value: float, text: str) -> None:
    assert rounded(value) == text


@given(st.floats(-1e6, 1e6, allow_nan=False), st.sampled_from(["", "sd", "%"]))
def test_whatever_is_filled_in_would_also_be_believed_when_typed(value: float, unit: str) -> None:
    have = {3: experiment(3, effect=Quantity(value=value, unit=unit))}
    text = fill("It is {e3.effect} [e3].", have)
    assert list(foreign_numbers(text, have)) == []


@given(st.text(max_size=200))
def test_any_text_can_be_split_and_checked(text: str) -> None:
    kept = "".join("".join(piece.split()) for piece in sentences(text))
    assert [c for c in kept if c.isalnum()] == [c for c in "".join(text.split()) if c.isalnum()]
    list(foreign_numbers(text, HAVE))
    list(broken_references(text, HAVE))
