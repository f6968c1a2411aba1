"""Concepts: what everyday phrases mean, checked against the strict language and the scene graph."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.tableau.concepts import Concept, class_of, holds, read_concept
from experiments.tableau.lexicon import HYPERNYMS, SYNONYMS
from experiments.tableau.phrases import Phrase, find
from experiments.tableau.scene import BACKGROUNDS, COLORS, FILLS, SHAPES, SIZES, Scene, Thing
from store.errors import UserError
from tests.experiments.tableau.scenes import scenes

phrases = st.builds(
    Phrase,
    st.sampled_from([None, *SIZES]),
    st.sampled_from([None, *FILLS]),
    st.sampled_from([None, *COLORS]),
    st.sampled_from([None, *SHAPES]),
)
RED_STAR = Thing("star", "red", "striped", "large", 40, 40)


@given(phrases, scenes)
def test_a_phrase_of_the_language_holds_where_it_fits_a_thing(phrase: Phrase, scene: Scene) -> None:
    assert holds(read_concept(str(phrase)), scene) == bool(find(phrase, scene))


@given(phrases)
def test_articles_plurals_and_capitals_change_nothing(phrase: Phrase) -> None:
    concept = read_concept(str(phrase))
    for text in (phrase.with_article, phrase.plural, f"the {phrase}", str(phrase).upper()):
        assert read_concept(text) == concept


@given(phrases.filter(lambda phrase: bool(phrase.adjectives)), st.randoms())
def test_adjectives_stand_in_any_order(phrase: Phrase, random: Random) -> None:
    words = list(phrase.adjectives)
    random.shuffle(words)
    assert read_concept(" ".join([*words, phrase.shape or "thing"])) == read_concept(str(phrase))


@given(phrases, phrases)
def test_different_phrases_are_different_concepts(one: Phrase, other: Phrase) -> None:
    assert (read_concept(str(one)) == read_concept(str(other))) == (one == other)


@pytest.mark.parametrize(("word", "meant"), SYNONYMS.items())
def test_a_synonym_means_the_same(word: str, meant: str) -> None:
    assert read_concept(word) == read_concept(meant)
    assert read_concept(f"a {word}") == read_concept(f"a {meant}")


@pytest.mark.parametrize("plural", ["discs", "boxes", "crescents", "pluses", "donuts", "crosses"])
def test_nouns_have_plurals(plural: str) -> None:
    singular = plural.removesuffix("es") if plural in ("boxes", "pluses", "crosses") else plural[:-1]
    assert read_concept(f"red {plural}") == read_concept(f"red {singular}")


@pytest.mark.parametrize(("word", "covered"), HYPERNYMS.items())
@given(scene=scenes)
def test_a_hypernym_holds_where_one_of_its_words_does(
    word: str, covered: tuple[str, ...], scene: Scene
) -> None:
    assert holds(read_concept(word), scene) == any(holds(read_concept(one), scene) for one in covered)


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_a_background_phrase_speaks_of_the_background_alone(background: str) -> None:
    concept = read_concept(f"a {background} background")
    for other in BACKGROUNDS:
        assert holds(concept, Scene(other, (RED_STAR,))) == (other == background)
    assert not concept.matches(RED_STAR)


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("thing", Concept()),
        ("warm color", Concept(color=frozenset(HYPERNYMS["warm"]))),
        ("a round thing", Concept(shape=frozenset(HYPERNYMS["round"]))),
        ("round ring", Concept(shape=frozenset({"ring"}))),
        (
            "big patterned stars",
            Concept(frozenset({"large"}), frozenset(HYPERNYMS["patterned"]), shape=frozenset({"star"})),
        ),
        ("striped", Concept(fill=frozenset({"striped"}))),
        ("textured background", Concept(background=frozenset({"checkered", "wavy"}))),
    ],
)
def test_everyday_phrases_are_read(text: str, concept: Concept) -> None:
    assert read_concept(text) == concept


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "`` says nothing.", "red thing"),
        ("the", "`the` says nothing.", "red thing"),
        ("strped star", "`strped` in `strped star` is not a known word.", '"striped"'),
        ("red elephant", "`elephant` in `red elephant` is not a known word.", "shape: circle, square"),
        ("star red", "`star` is out of place in `star red`.", "large red star"),
        ("dark star", "`dark star` mixes words for things with words for the background.", "A background is dark"),
        ("red background", "`red background` mixes words", "checkered, wavy or textured"),
        ("red blue star", "`red blue star` fits nothing: no color is all of that.", "Name one color."),
        ("round star", "`round star` fits nothing: no shape is all of that.", "Name one shape."),
    ],
)  # fmt: skip
def test_what_is_not_a_phrase_is_refused_with_a_hint(text: str, message: str, hint: str) -> None:
    with pytest.raises(UserError) as caught:
        read_concept(text)
    assert caught.value.message.startswith(message)
    assert hint in caught.value.hint
    assert caught.value.kind == "unknown_phrase"


@pytest.mark.parametrize(
    ("phrase", "holds_of_it"),
    [
        ("star in the upper left", True),
        ("star in the lower left", False),
        ("star except in the upper left", False),
        ("star except in the lower right", True),
        ("star except striped", False),
        ("red thing except dotted", True),
        ("thing except star", False),
        ("star except striped star", False),
        ("star except dotted star", True),
        ("red thing in the upper left except small", True),
    ],
)
def test_places_and_exceptions_are_said_of_the_thing_itself(phrase: str, holds_of_it: bool) -> None:
    assert read_concept(phrase).matches(RED_STAR) == holds_of_it


def test_an_exception_leaves_other_things_alone() -> None:
    solid, dotted = replace(RED_STAR, fill="solid", x=90), replace(RED_STAR, fill="dotted")
    seen = Scene("dark", (solid, dotted))
    assert holds(read_concept("star except dotted"), seen)
    assert not holds(read_concept("star except dotted"), replace(seen, things=(dotted,)))


@pytest.mark.parametrize(
    ("phrase", "why"),
    [
        ("dark background in the upper left", "gives the background a place"),
        ("star except red striped", "can't be excepted"),
        ("star except thing", "can't be excepted"),
        ("red star except red", "all of it is excepted"),
        ("star except dark background", "can't be excepted"),
        ("star in the upper left except in the upper left", "no place is all of that"),
        ("star in the middle", "`star` is out of place"),
    ],
)
def test_what_cannot_be_placed_or_excepted_is_refused(phrase: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        read_concept(phrase)


def test_a_placed_phrase_is_of_a_class_of_its_own() -> None:
    assert class_of("star in the upper left") == "shape+place"
    assert class_of("star except red") == "color+shape"
