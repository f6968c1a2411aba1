"""Hard negatives: a unit moves with its own concept in nearly every pair, and with another one by chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from experiments.scoring.rest.hard_negatives import PAIRS, hard_negatives, share_off_target
from experiments.scoring.rest.sealed import Sealed, Unmeasured
from store.records import Reading
from tests.experiments.scoring.rest.known import (
    DEAD,
    MOON_OR_DARK,
    NOISE,
    RED,
    RED_NO_STAR,
    RED_STAR,
    STAR,
    UNITS,
    frozen,
)


@pytest.mark.parametrize("unit", [RED, STAR, RED_NO_STAR, MOON_OR_DARK, RED_STAR])
def test_a_unit_moves_as_its_own_concept_says_and_little_with_anything_else(
    sealed: Sealed, unit: str
) -> None:
    found = hard_negatives(sealed, frozen(unit, UNITS[unit][1]))
    right, off = found["hard_negatives"], found["off_target"]
    assert right.value > 0.9 and right.ci[0] > 0.7 and right.n == PAIRS
    assert (right.split, right.null, right.judge, right.protocol) == ("test", 0.5, "scene graph (exact)", "1")
    assert off.ci[1] < 0.5 and off.null == 1


@pytest.mark.parametrize(
    ("unit", "concept"), [(RED, "striped thing"), (STAR, "gray background"), (NOISE, "moon")]
)
def test_a_concept_that_is_not_the_units_is_a_coin_and_moves_it_no_more_than_others_do(
    sealed: Sealed, unit: str, concept: str
) -> None:
    found = hard_negatives(sealed, frozen(unit, concept))
    right, off = found["hard_negatives"], found["off_target"]
    assert right.ci[0] < 0.5 and right.value < 0.75
    assert off.ci[1] > 0.8


def test_the_opposite_of_the_truth_is_wrong_in_nearly_every_pair(sealed: Sealed) -> None:
    assert hard_negatives(sealed, frozen(RED, "!red thing"))["hard_negatives"].ci[1] < 0.3
    turned = frozen(RED, "red thing", Reading(sign="-"))
    assert hard_negatives(sealed, turned)["hard_negatives"].value < 0.75


def test_half_of_a_binding_is_told_apart_from_the_whole(sealed: Sealed) -> None:
    """A unit for red stars moves with stars that are red alone: "star" is right in few of its pairs."""
    whole = hard_negatives(sealed, frozen(RED_STAR, "red star"))["hard_negatives"].value
    half = hard_negatives(sealed, frozen(RED_STAR, "star"))["hard_negatives"].value
    assert half < whole - 0.2


def test_the_same_words_give_the_same_scores(sealed: Sealed) -> None:
    words = frozen(MOON_OR_DARK, "moon | dark background")
    assert hard_negatives(sealed, words) == hard_negatives(replace(sealed), words)


def test_a_unit_that_never_moves_is_wrong_in_every_pair_and_has_no_share(sealed: Sealed) -> None:
    found = hard_negatives(sealed, frozen(DEAD, "red thing"))
    assert found.keys() == {"hard_negatives"} and found["hard_negatives"].value == 0


@pytest.mark.parametrize("concept", ["question asks color", "answer is red | question names star"])
def test_words_that_no_picture_decides_are_not_measured(sealed: Sealed, concept: str) -> None:
    with pytest.raises(Unmeasured, match="speaks of the picture and decides it"):
        hard_negatives(sealed, frozen(RED, concept))


def test_without_an_editor_nothing_is_measured(sealed: Sealed) -> None:
    place = sealed.workplace
    bare = Sealed(replace(place, world=replace(place.world, scorer_editor=None)))
    with pytest.raises(Unmeasured, match="can't be edited"):
        hard_negatives(bare, frozen(RED, "red thing"))


def test_the_share_off_target_is_the_ratio_of_mean_sizes() -> None:
    on, off = np.array([2.0, -4.0, 6.0, 4.0]), np.array([1.0, -1.0, 1.0, -1.0])
    found = share_off_target(on, off, seed=0)
    assert found.value == 0.25 and found.low < 0.25 < found.high and found.n == 4
    with pytest.raises(ValueError, match="no movement"):
        share_off_target(np.zeros(3), np.ones(3), seed=0)
