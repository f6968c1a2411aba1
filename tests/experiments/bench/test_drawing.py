"""Units are drawn by a seed, at ordinary addresses, with concepts that could be found."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from experiments.bench.drawing import RATE, draw_units, findable, shared_out
from experiments.bench.kinds import KINDS, SPEECHLESS, FunctionUnit, Kind
from experiments.bench.responses import lit
from experiments.tableau.data import scenes
from store.address import Extent, Layers, parse

EXTENT = Extent("a model", {"vision": Layers(2, 16, 2), "language": Layers(2, 16, 2)})


def unit(concept: str, kind: Kind = "or", exception: str = "") -> FunctionUnit:
    return FunctionUnit(parse("vision.0.mlp.0"), kind, concept, 1.0, 0, exception)


def test_every_kind_has_its_share_at_addresses_of_neurons() -> None:
    units = draw_units(EXTENT, 33, 1)
    assert Counter(unit.kind for unit in units) == dict.fromkeys(KINDS, 3)
    assert len({unit.address for unit in units}) == 33
    assert all(unit.address.part == "mlp" and unit.address in set(EXTENT.all()) for unit in units)
    assert [bool(unit.concept) for unit in units] == [unit.kind not in SPEECHLESS for unit in units]
    assert [bool(unit.exception) for unit in units] == [unit.kind == "exception" for unit in units]
    assert [unit.weaker < 1 for unit in units] == [unit.kind == "two_faced" for unit in units]


def test_units_answer_to_some_pictures_that_the_drawing_never_saw_and_not_to_most() -> None:
    fresh = list(scenes("check", 400, seed=9))
    for one in draw_units(EXTENT, 44, 2):
        share = np.mean([lit(one, seen).strength > 0 for seen in fresh])
        assert one.kind in SPEECHLESS or RATE[0] / 3 < share < RATE[1] + 0.08, one


def test_concepts_come_again_only_where_a_kind_has_few() -> None:
    units = [one for one in draw_units(EXTENT, 55, 3) if one.concept]
    assert len({(one.concept, one.exception) for one in units}) == len(units)


def test_the_same_seed_draws_the_same_units_and_another_seed_others() -> None:
    assert draw_units(EXTENT, 12, 3) == draw_units(EXTENT, 12, 3) != draw_units(EXTENT, 12, 4)


def test_taken_addresses_are_left_alone() -> None:
    taken = {one for one in EXTENT.all() if one.tower == "vision"}
    assert {unit.address.tower for unit in draw_units(EXTENT, 10, 0, taken)} == {"language"}


@pytest.mark.parametrize("n", [11, 12, 22, 200, 440])
def test_any_number_is_shared_out_evenly_with_every_kind_in_it(n: int) -> None:
    counts = shared_out(n)
    assert sum(counts.values()) == n and min(counts.values()) >= 1
    assert max(counts.values()) - min(counts.values()) <= 1


def test_a_concept_that_a_part_of_it_nearly_says_is_not_drawn() -> None:
    assert findable(unit("red thing | star")) and findable(unit("red star", "single"))
    assert not findable(unit("large thing & small thing | thing"))
    assert not findable(unit("red star | star"))
    assert not findable(unit("star & !red star", "and_not")) and findable(
        unit("star & !dotted thing", "and_not")
    )


def test_an_exception_that_takes_almost_nothing_away_is_not_drawn() -> None:
    assert findable(unit("red thing", "exception", "upper left"))
    assert not findable(unit("red thing", "exception", "blue thing"))


def test_no_units_are_drawn_where_none_are_wanted() -> None:
    assert draw_units(EXTENT, 0, 1) == []
