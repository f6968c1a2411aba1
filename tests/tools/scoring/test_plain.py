"""Concepts in English: as one would say them, and never two ways to read them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import pytest

from tests.tools.scoring.concepts import truth, worlds
from tools.scoring.plain import describe, label
from tools.scoring.tree import All, Any, Concept, Not, Phrase, Sum, Weighted


@pytest.mark.parametrize(
    ("concept", "said"),
    [
        ("star", "a star"),
        ("orange moon", "an orange moon"),
        ("red", "something red"),
        ("two stars", "two stars"),
        ("hearts", "hearts"),
        ("glass", "glass"),
        ("a star left of a moon", "a star left of a moon"),
        ("!star", "no star"),
        ("!red", "nothing red"),
        ("!two stars", "not two stars"),
        ("answer is red", "the answer “red”"),
        ("question asks for color", "a question that asks for “color”"),
        ("question names star", "a question that names “star”"),
        ("star | moon", "a star or a moon"),
        ("star | moon | ring", "a star, a moon, or a ring"),
        ("red thing & star", "a red thing together with a star"),
        ("[red star] | moon & !dark background", "a red star, or a moon without a dark background"),
        ("!star & !moon", "no star and no moon"),
        ("!(star & moon)", "not (a star together with a moon)"),
        ("(star | ring) & small", "something small together with (a star or a ring)"),
        ("star & !moon & !(ring | cross)", "a star without a moon and without (a ring or a cross)"),
        ("(star & !ring) | (ring & !star)", "a star without a ring, or a ring without a star"),
        ("0.3 moon + 0.7 star", "mostly a star (0.7), partly a moon (0.3)"),
        ("1.0 moon + 1.0 (star | ring)", "partly a moon (0.5), partly (a star or a ring) (0.5)"),
        ("0.999 moon + 0.001 star", "mostly a moon (0.99), partly a star (0.01)"),
        ("[black and white cat] | dog", "“black and white cat” or a dog"),
        ("!!star", "a star"),
    ],
)
def test_concepts_are_told_as_one_would_say_them(concept: str, said: str) -> None:
    assert describe(concept) == said


@pytest.mark.parametrize(
    ("concept", "name"),
    [
        ("[red star] | moon & !dark background", "red star, or moon without dark background"),
        ("red thing & star", "red thing with star"),
        ("!star", "no star"),
        ("0.7 star + 0.3 moon", "mostly star, partly moon"),
    ],
)
def test_a_label_is_the_same_without_articles_and_weights(concept: str, name: str) -> None:
    assert label(concept) == name


def test_a_long_label_is_cut_between_words() -> None:
    name = label(" | ".join(f"large striped thing number {number}" for number in range(9)), longest=40)
    assert len(name) <= 40 and name == "large striped thing number 0, large…"


def test_weights_can_be_left_out() -> None:
    assert describe("0.7 star + 0.3 moon", numbers=False) == "mostly a star, partly a moon"


def test_the_same_words_are_never_said_of_concepts_that_differ() -> None:
    """Every concept of three phrases and two levels: those that are told alike are true of the same worlds."""
    said: dict[str, tuple[float, ...]] = {}
    known = list(worlds(("star", "moon", "ring")))
    for concept in small_concepts():
        true = tuple(round(truth(concept, world), 6) for world in known)
        for told in (describe(concept), label(concept, longest=1000)):
            if "0." in told or "partly" not in told:
                assert said.setdefault(told, true) == true, told


def small_concepts() -> Iterator[Concept]:
    phrases: list[Concept] = [Phrase(words) for words in ("star", "moon", "ring")]
    inner = [*phrases, *map(Not, phrases)]
    for one, other in product(phrases, repeat=2):
        inner += joined(one, other)
    for one, other in product(inner, repeat=2):
        yield from joined(one, other)[:3]


def joined(one: Concept, other: Concept) -> list[Concept]:
    """Two parts joined in every way, and then the negations of these."""
    weighted = (Weighted(Fraction(7, 10), one), Weighted(Fraction(3, 10), other))
    found: list[Concept] = [All((one, other)), Any((one, other)), Sum(weighted)]
    return [*found, *map(Not, found)]
