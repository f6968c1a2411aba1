"""Narrowed phrases: a place and an exception, and what they belong to."""

from __future__ import annotations

import pytest

from tools.scoring.narrowing import Narrowed, bare, narrowed, place_in, without
from tools.scoring.plain import describe, label


@pytest.mark.parametrize(
    ("phrase", "parts", "steps"),
    [
        ("moon", Narrowed("moon"), 0),
        ("moon except dotted", Narrowed("moon", exception="dotted"), 1),
        ("red thing in the upper left", Narrowed("red thing", "upper left"), 1),
        ("moon in the lower right except red", Narrowed("moon", "lower right", "red"), 2),
        ("moon except in the upper left", Narrowed("moon", exception="in the upper left"), 1),
        ("a man in the rain", Narrowed("a man in the rain"), 0),
        ("exceptional thing", Narrowed("exceptional thing"), 0),
    ],
)
def test_a_phrase_is_a_thing_a_place_and_an_exception(phrase: str, parts: Narrowed, steps: int) -> None:
    assert narrowed(phrase) == parts
    assert narrowed(phrase).steps == steps
    assert bare(phrase) == parts.thing


def test_an_exception_is_written_as_it_is_read() -> None:
    assert narrowed(without("red star", "in the upper left")) == Narrowed("red star", "", "in the upper left")


def test_only_quarters_are_places() -> None:
    assert place_in("in the lower left") == "lower left"
    assert place_in("in the middle") == place_in("lower left") == ""


def test_narrowed_things_keep_their_articles() -> None:
    assert describe("moon except dotted") == "a moon except dotted"
    assert describe("orange thing in the upper left") == "an orange thing in the upper left"
    assert describe("red except striped") == "something red except striped"
    assert label("moon except dotted | ring") == "moon except dotted or ring"
