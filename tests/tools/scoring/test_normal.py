"""One form for all concepts that say the same, and only for them."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Float

from store.errors import UserError
from tests.tools.scoring.concepts import WORDS, columns, concepts, truth, worlds
from tools.scoring.concept import concept_values, read
from tools.scoring.normal import canonical, renamed, written
from tools.scoring.tree import All, Any, Concept, Not, Phrase, Sum, Weighted

Columns = dict[str, Float[np.ndarray, "stimulus"]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("moon | star", "star|moon"),
        ("star & (red & ring)", "ring & star & red"),
        ("(star) | ((moon))", "moon | star"),
        ("[red  Star]", "red star"),
        ("!!star", "star"),
        ("star | star", "star"),
        ("!(star | moon)", "!moon & !star"),
        ("!(star & !moon)", "moon | !star"),
        ("star | star & moon", "star"),
        ("star & (moon | star)", "star"),
        ("0.7 star + 0.3 moon", "1.4 star + .6 moon"),
        ("0.3 moon + 0.7 star", "0.7 star + 0.3 moon"),
        ("0.5 star + 0.2 moon + 0.5 star", "1.0 star + 0.2 moon"),
        ("0.5 star + 0.5 star", "star"),
        ("0.5 (0.4 star + 0.6 moon) + 0.5 ring", "0.2 star + 0.3 moon + 0.5 ring"),
        ("!(0.7 star + 0.3 !moon)", "0.3 moon + 0.7 !star"),
    ],
)
def test_what_says_the_same_by_the_laws_is_written_alike(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("[red star] | (moon & !(dark background))", "moon & !dark background | red star"),
        ("(star | ring) & small", "(ring | star) & small"),
        ("[a & b]", "[a & b]"),
        ("[0.5 liter] | star", "[0.5 liter] | star"),
        ("0.7 (star | ring) + 0.3 !moon", "0.7 (ring | star) + 0.3 !moon"),
        ("0.33 star + 0.33 moon + 0.33 ring", "1.0 moon + 1.0 ring + 1.0 star"),
        ("small & (0.7 star + 0.3 moon)", "(0.7 star + 0.3 moon) & small"),
    ],
)
def test_the_form_is_short_and_exact(text: str, form: str) -> None:
    assert canonical(text) == form


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("red star", "red & star"),
        ("star | moon", "star & moon"),
        ("star", "!star"),
        ("0.7 star + 0.3 moon", "0.3 star + 0.7 moon"),
        ("0.5 star + 0.5 moon", "star | moon"),
        ("crimson star", "red star"),
    ],
)
def test_what_says_something_else_is_written_otherwise(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


@given(concepts, columns)
def test_the_form_has_the_same_presence_and_is_its_own_form(concept: Concept, table: Columns) -> None:
    form = canonical(concept)
    assert canonical(form) == form == canonical(read(form))
    before, after = (concept_values(one, table.__getitem__) for one in (concept, form))
    assert np.broadcast_to(after, 3) == pytest.approx(np.broadcast_to(before, 3), abs=1e-9)


@given(concepts)
def test_what_is_written_is_read_back_as_it_was(concept: Concept) -> None:
    found = read(written(concept))
    assert written(found) == written(concept)
    assert canonical(found) == canonical(concept)


@given(concepts, st.randoms())
def test_order_and_double_negations_do_not_count(concept: Concept, random: Random) -> None:
    assert canonical(shuffled(concept, random)) == canonical(concept)


@given(concepts)
def test_concepts_of_one_form_have_one_truth_table(concept: Concept) -> None:
    """By the definition: in every world that is sure, `&` is the least, `|` the most, a sum the mean."""
    for world in worlds(WORDS):
        expected = truth(concept, world)
        found = concept_values(concept, lambda words, world=world: np.array([world[words]]))  # type: ignore[misc]
        assert float(np.ravel(found)[0]) == pytest.approx(expected)
        assert truth(read(canonical(concept)), world) == pytest.approx(expected)


def test_renaming_changes_the_words_alone() -> None:
    found = renamed(read("0.5 !star + 0.5 (moon & [a ring] | star)"), lambda words: f"small {words}")
    assert written(found) == "0.5 !small star + 0.5 (small moon & small a ring | small star)"


def test_text_that_can_not_be_read_has_no_form() -> None:
    with pytest.raises(UserError, match="ends where a phrase should stand"):
        canonical("star |")


def shuffled(concept: Concept, random: Random) -> Concept:
    """The same in another order, with double negations here and there."""
    match concept:
        case Phrase():
            found: Concept = concept
        case Not(part):
            found = Not(shuffled(part, random))
        case All(parts):
            found = All(tuple(shuffled(part, random) for part in random.sample(parts, len(parts))))
        case Any(parts):
            found = Any(tuple(shuffled(part, random) for part in random.sample(parts, len(parts))))
        case Sum(weighted):
            found = Sum(
                tuple(
                    Weighted(3 * weight, shuffled(part, random))
                    for weight, part in random.sample(weighted, len(weighted))
                )
            )
    return Not(Not(found)) if random.random() < 0.3 else found
