"""Places: a unit's map finds the things that its concept names; noise finds no more than its control."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from experiments.scoring.rest.places import found_by_map, places
from experiments.scoring.rest.sealed import Sealed, Unmeasured
from store.records import Reading
from tests.experiments.scoring.rest.known import DEAD, MOON_OR_DARK, NOISE, RED, STAR, UNITS, frozen


@pytest.mark.parametrize("unit", [RED, STAR, MOON_OR_DARK])
def test_a_unit_lights_where_its_concept_lies(sealed: Sealed, unit: str) -> None:
    found = places(sealed, frozen(unit, UNITS[unit][1]))["places"]
    assert found.value > 0.95 and found.null is not None and found.ci[0] > found.null
    assert found.split == "test" and found.n <= 48


@pytest.mark.parametrize("unit", [NOISE, DEAD])
def test_noise_lights_where_it_would_anyway(sealed: Sealed, unit: str) -> None:
    found = places(sealed, frozen(unit, "red thing"))["places"]
    assert found.null is not None and found.ci[0] - 0.02 <= found.null <= found.ci[1] + 0.02


def test_a_unit_for_other_things_that_lie_elsewhere_is_not_taken_for_this_one(sealed: Sealed) -> None:
    right, wrong = (places(sealed, frozen(STAR, words))["places"].value for words in ("star", "red thing"))
    assert wrong < right / 2


def test_the_share_is_average_precision_over_all_tokens() -> None:
    chance = np.random.default_rng(0)
    over, marked = chance.normal(size=(12, 16)), chance.random((12, 16)) < 0.3
    found = found_by_map(over, marked, seed=1)
    assert found.value == pytest.approx(average_precision_score(marked.ravel(), over.ravel()))
    assert found.low < found.value < found.high and found.n == 12


@pytest.mark.parametrize(
    ("component", "concept", "reading", "told"),
    [
        ("language.1.head.0", "red thing", Reading(), "map of their own"),
        (RED, "red thing", Reading(scope="answer"), "map of their own"),
        (RED, "question asks color", Reading(), "no place in the picture"),
        (RED, "!red thing", Reading(), "no place in the picture"),
        (RED, "red thing & !red thing", Reading(), "fewer than 8 test pictures"),
    ],
)
def test_what_has_no_place_is_not_measured(
    sealed: Sealed, component: str, concept: str, reading: Reading, told: str
) -> None:
    with pytest.raises(Unmeasured, match=told):
        places(sealed, frozen(component, concept, reading))


def test_without_masks_nothing_is_measured(sealed: Sealed) -> None:
    place = sealed.workplace
    blind = Sealed(replace(place, world=replace(place.world, region=None)))
    with pytest.raises(Unmeasured, match="without masks"):
        places(blind, frozen(RED, "red thing"))
