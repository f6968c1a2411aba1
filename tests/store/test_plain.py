"""What strangers wrote is shown as it is, but for what would act on a terminal or hide from a reader."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.plain import hides, one_line, printable, unhidden


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("red star", "red star"),
        ("ein Häuschen 家 ☂️ 👩‍👩‍👧 می‌خواهم", "ein Häuschen 家 ☂️ 👩‍👩‍👧 می‌خواهم"),
        ("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("safe\u202egnp.exe", "safe\\u202egnp.exe"),
        ("a\u200bb\u2066c", "a\\u200bb\\u2066c"),
        ("hidden\U000e0041\U000e0042", "hidden\\U000e0041\\U000e0042"),
        ("half \ud800", "half \\ud800"),
        ("say\U000e0162\u3164", "say\\U000e0162\\u3164"),
        ("\u2764\ufe0f", "\u2764\ufe0f"),
        ("a\rb", "a\\x0db"),
        ("a\n\tb", "a\n\tb"),
    ],
)
def test_what_acts_or_hides_is_written_out_and_nothing_else(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_one_line_is_one_line() -> None:
    assert one_line("a\nb\tc\x1b") == "a\\nb c\\x1b"


@given(st.text())
def test_whatever_is_shown_hides_nothing_and_can_be_written(text: str) -> None:
    assert not any(map(hides, printable(text)))
    printable(text).encode()


@given(st.text())
def test_json_without_hidden_letters_means_the_same(text: str) -> None:
    told = unhidden(json.dumps({"label": text}, ensure_ascii=False))
    assert json.loads(told) == {"label": text} and not any(map(hides, told))
    told.encode()
