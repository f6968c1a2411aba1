"""Pairs of phrases are searched as concepts mean them: planted ones are found, on the half that did not choose them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from jaxtyping import Bool, Float

from experiments.scoring.joined import (
    Joined,
    all_pairs,
    best_joined,
    is_searched,
    joined,
    kinds,
    say_different_things,
)
from store.errors import UserError
from tools.scoring.concept import concept_values
from tools.scoring.correlation import correlations
from tools.scoring.presence import SUPPORT, Label, Presence, has_support
from tools.scoring.selectivity import split

N = 400
WORDS = ("red thing", "star", "large", "dotted", "dark background", "large red thing")
HALF = split(range(N), 0)


def world(share: float = 0.3, seed: int = 0) -> Presence:
    """Independent phrases, but that large red things are red and large."""
    true = np.random.default_rng(seed).random((len(WORDS), N)) < share
    true[5] &= true[0] & true[2]
    return Presence(tuple(Label("any", words) for words in WORDS), true)


def noise(units: int = 1, seed: int = 1) -> Float[np.ndarray, "stimulus unit"]:
    return np.random.default_rng(seed).normal(size=(N, units))


def find(values: Float[np.ndarray, "stimulus unit"], presence: Presence) -> Joined:
    return best_joined(values, all_pairs(presence, HALF))


def names(found: Joined, unit: int) -> set[str]:
    """The two phrases; they are all of one class."""
    return {WORDS[label] for label in found.pair[0, unit]}


@pytest.mark.parametrize(
    "concept",
    ["red", "red star", "[red star]", "(red)", "red | star", "red & question asks color", "(red) | (star)"],
)
def test_a_phrase_and_two_joined_are_searched(concept: str) -> None:
    assert is_searched(concept)


@pytest.mark.parametrize(
    "concept",
    [
        "!red",
        "red & !star",
        "red | star | moon",
        "red & star | moon",
        "(red | star) & moon",
        "!(red | star)",
        "star except red",
    ],
)
def test_negations_and_longer_combinations_are_not_searched(concept: str) -> None:
    assert not is_searched(concept)


def test_a_concept_that_cannot_be_read_has_no_form() -> None:
    with pytest.raises(UserError, match="phrase should stand"):
        is_searched("red |")


def test_joined_presences_are_those_of_the_concept_that_says_so() -> None:
    sure = np.random.default_rng(0).random((3, 20))
    columns = dict(zip(("red", "star", "moon"), sure, strict=True))
    both, either = joined(sure, np.array([[0, 1], [2, 1]]))
    for rows, sign in ((both, "&"), (either, "|")):
        wanted = [concept_values(f"{one} {sign} star", columns.__getitem__) for one in ("red", "moon")]
        np.testing.assert_allclose(rows, wanted)


def test_phrases_say_different_things_when_neither_has_all_words_of_the_other() -> None:
    apart = say_different_things(["red thing", "large red thing", "red star", "large thing"])
    assert apart.tolist() == [
        [False, False, False, True],
        [False, False, True, False],
        [False, True, False, True],
        [True, False, True, False],
    ]


@pytest.mark.parametrize("sure", [True, False])
def test_of_every_kind_the_best_pair_is_found_that_trying_one_by_one_finds(sure: bool) -> None:
    rng = np.random.default_rng(3)
    drawn = rng.random((9, N))
    labels = tuple(Label("abc"[place % 3], f"word{place}") for place in range(9))
    presence = Presence(labels, drawn < 0.3 if sure else drawn)
    values = noise(units=2) + 2 * presence.true[1, :, None]
    found, single = find(values, presence), correlations(presence.true[:, HALF], values[HALF])
    for unit, (kind, classes) in [(unit, kind) for unit in range(2) for kind in enumerate(kinds(3))]:
        best = (0.0, 0.0)
        for pair in combinations(range(9), 2):
            if sorted(presence.class_of[list(pair)]) == list(classes) and single[list(pair), unit].min() > 0:
                for row in joined(presence.true, np.array([pair])):
                    chosen, measured = (
                        float(correlations(row[:, part], values[part, unit : unit + 1])[0, 0])
                        for part in (HALF, ~HALF)
                    )
                    best = max(best, (chosen, measured)) if has_support(row, HALF)[0] else best
        np.testing.assert_allclose((found.strength[kind, unit], found.rho[kind, unit]), best, atol=1e-9)


def either(true: Bool[np.ndarray, "label stimulus"]) -> Bool[np.ndarray, "stimulus"]:
    found: Bool[np.ndarray, "stimulus"] = true[1] | true[4]
    return found


def test_a_planted_union_and_a_planted_conjunction_are_found_among_noise() -> None:
    presence = world()
    values = noise(units=3)
    values[:, 0] += 4 * either(presence.true)
    values[:, 1] += 4 * (presence.true[0] & presence.true[3])
    found = find(values, presence)
    assert names(found, 0) == {"star", "dark background"} and found.rho[0, 0] > 0.85
    assert names(found, 1) == {"red thing", "dotted"} and found.rho[0, 1] > 0.7
    assert abs(found.rho[0, 2]) < 0.25


def test_the_half_that_measures_does_not_choose() -> None:
    presence = world()
    values = noise()
    values[~HALF, 0] += 4 * either(presence.true)[~HALF]
    values[HALF, 0] += 4 * (presence.true[0] & presence.true[3])[HALF]
    found = find(values, presence)
    assert names(found, 0) == {"red thing", "dotted"}
    assert found.strength[0, 0] > 0.7 and found.rho[0, 0] < 0.3


def test_noise_is_fitted_on_the_half_that_chooses_and_not_on_the_other() -> None:
    found = find(noise(units=200), world())
    assert found.strength.mean() > 0.08 and abs(found.rho.mean()) < 0.02


def test_a_phrase_that_holds_where_a_unit_is_less_active_is_not_joined() -> None:
    presence = world()
    values = noise() + 2.0 * either(presence.true)[:, None] - 4.0 * presence.true[0, :, None]
    assert names(find(values, presence), 0) == {"star", "dark background"}


def test_a_pair_that_hardly_ever_holds_is_not_tried() -> None:
    presence = world(share=0.12)
    both = presence.true[1] & presence.true[3]
    assert 0 < both[HALF].sum() < SUPPORT
    found = find(0.01 * noise() + both[:, None], presence)
    assert found.strength[0, 0] < 0.8


def test_without_a_pair_to_try_a_unit_has_no_fit() -> None:
    presence = Presence((Label("any", "red"), Label("any", "red thing")), world().true[:2])
    found = find(noise(units=2), presence)
    assert found.strength.tolist() == found.rho.tolist() == [[0, 0]]
