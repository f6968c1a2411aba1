"""Phrases: how they are written, read back, and what they fit."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.tableau.phrases import Phrase, census, find, full, parse_phrase, shortenings
from experiments.tableau.scene import COLORS, FILLS, SHAPES, SIZES, Scene, Thing
from tests.experiments.tableau.scenes import scenes

EVERY = [Phrase(*said) for said in product((None, *SIZES), (None, *FILLS), (None, *COLORS), (None, *SHAPES))]
STAR = Thing("star", "red", "striped", "large", 30, 30)


def test_every_phrase_is_read_back_singular_and_plural() -> None:
    for phrase in EVERY:
        assert parse_phrase(str(phrase)) == phrase
        assert parse_phrase(phrase.plural) == phrase
    assert len(set(map(str, EVERY))) == len(EVERY) == 3 * 4 * 9 * 9


@pytest.mark.parametrize(
    "text",
    ["", "red", "red large star", "red blue star", "red red star", "tall star", "a star", "starses", "s"],
)
def test_what_is_no_phrase_gives_none(text: str) -> None:
    assert parse_phrase(text) is None


def test_how_phrases_are_written() -> None:
    assert str(Phrase()) == "thing"
    assert Phrase().plural == "things"
    assert str(full(STAR)) == "large striped red star"
    assert Phrase(shape="cross").plural == "crosses"
    assert Phrase(color="orange").with_article == "an orange thing"
    assert Phrase(size="small").with_article == "a small thing"


@settings(max_examples=60, deadline=None)
@given(scenes, st.sampled_from(EVERY))
def test_a_phrase_fits_the_things_that_all_its_words_are_true_of(scene: Scene, phrase: Phrase) -> None:
    said = {word for word in str(phrase).split() if word != "thing"}
    fitting = tuple(
        index
        for index, thing in enumerate(scene.things)
        if said <= {thing.size, thing.fill, thing.color, thing.shape}
    )
    assert find(phrase, scene) == fitting


@settings(max_examples=20, deadline=None)
@given(scenes)
def test_the_census_counts_what_each_phrase_fits(scene: Scene) -> None:
    counted = census(scene)
    for phrase in EVERY[1:]:
        assert counted[phrase] == len(find(phrase, scene))
    assert Phrase() not in counted


def test_shortenings_are_what_says_less_shortest_first() -> None:
    phrases = shortenings(full(STAR))
    assert len(set(phrases)) == 2**4 - 1
    assert all(phrase.matches(STAR) for phrase in phrases)
    lengths = [len(str(phrase).removesuffix("thing").split()) for phrase in phrases]
    assert lengths == sorted(lengths)
    assert lengths[-1] == 4
