"""The pairwise table shows what was planted, with intervals that hold it."""

from __future__ import annotations

import json

from experiments.tableau.data import scenes
from experiments.tableau.pairwise import pairwise
from experiments.tableau.sampler import HELD_OUT
from experiments.tableau.scene import SHAPES

REGULAR, BALANCED = pairwise(4000), pairwise(1500, "check")


def test_the_table_shows_the_planted_regularities() -> None:
    for entry, planted in (
        (REGULAR["color_given_shape"]["heart"]["red"], 0.90),
        (REGULAR["background_given_shape_present"]["star"]["dark"], 0.90),
        (REGULAR["shape_given_shape_present"]["moon"]["star"], 0.85),
        (REGULAR["overall"]["color"]["purple"], 0.02),
    ):
        low, high = entry["ci"]
        assert low - (high - low) / 2 < planted < high + (high - low) / 2


def test_the_balanced_distribution_shows_none() -> None:
    assert BALANCED["color_given_shape"]["heart"]["red"]["value"] < 0.2
    assert BALANCED["background_given_shape_present"]["star"]["dark"]["value"] < 0.3


def test_each_row_of_exclusive_values_sums_to_one() -> None:
    for name in (
        "color_given_shape",
        "fill_given_shape",
        "size_given_shape",
        "background_given_shape_present",
    ):
        for row in REGULAR[name].values():
            assert abs(sum(entry["value"] for entry in row.values()) - 1) < 1e-4


def test_held_out_pairs_have_a_share_of_zero() -> None:
    assert all(REGULAR["color_given_shape"][shape][color]["value"] == 0 for color, shape in HELD_OUT)


def test_what_never_occurs_has_no_share() -> None:
    [scene] = scenes("regular", 1)
    missing = next(shape for shape in SHAPES if shape not in {thing.shape for thing in scene.things})
    table = json.loads(json.dumps(pairwise(1)))
    assert set(table["color_given_shape"][missing].values()) == {None}
