"""Units are drawn by a seed, at ordinary addresses, with concepts that could be found."""

from __future__ import annotations

from collections import Counter

import pytest

from experiments.bench.drawing import SHARES, draw_units, findable, shared_out
from store.address import Extent, Layers

EXTENT = Extent("a model", {"vision": Layers(2, 16, 2), "language": Layers(2, 16, 2)})


def test_thirty_units_are_ten_single_six_and_six_or_four_noise_and_four_dead() -> None:
    units = draw_units(EXTENT, 30, 1)
    assert Counter(unit.kind for unit in units) == Counter(SHARES)
    assert len({unit.address for unit in units}) == 30
    assert all(unit.address.part == "mlp" and unit.address in set(EXTENT.all()) for unit in units)
    assert [bool(unit.concept) for unit in units] == [unit.kind not in ("noise", "dead") for unit in units]


def test_the_same_seed_draws_the_same_units_and_another_seed_others() -> None:
    assert draw_units(EXTENT, 12, 3) == draw_units(EXTENT, 12, 3) != draw_units(EXTENT, 12, 4)


def test_taken_addresses_are_left_alone() -> None:
    taken = {one for one in EXTENT.all() if one.tower == "vision"}
    assert {unit.address.tower for unit in draw_units(EXTENT, 10, 0, taken)} == {"language"}


@pytest.mark.parametrize("n", [5, 6, 17, 30, 31, 60])
def test_any_number_is_shared_out_with_every_kind_in_it(n: int) -> None:
    counts = shared_out(n)
    assert sum(counts.values()) == n and min(counts.values()) >= 1


def test_a_concept_that_a_part_of_it_nearly_says_is_not_drawn() -> None:
    assert findable("red thing | star") and findable("red star")
    assert not findable("large thing & small thing | thing")
    assert not findable("red star | star")
