"""The embedded models' null comes with the checkout, so that nobody waits for untrained copies."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.registry import open_target
from experiments.scoring.blind import SHIPPED
from experiments.scoring.classes import class_of, searched
from experiments.scoring.judged import Judged
from experiments.scoring.null import Null, place, untrained_null
from experiments.scoring.ship import wanted
from experiments.worlds import World, open_world
from store.address import Address
from store.records import Reading
from tools.activations import ActivationSource
from tools.targets.adapter import adapter_for
from tools.targets.target import Target


def refuse(copy: Target) -> ActivationSource:
    raise AssertionError(f"`{copy.name}` was measured, though its null should have come with the checkout")


@pytest.fixture(scope="module", params=["tableau-llava", "tableau-llava-random"])
def shipped(
    request: pytest.FixtureRequest, committed_weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Null:
    target = open_target(request.param, device="cpu")
    world: World = open_world("tableau", target)
    extent = adapter_for(target).extent()
    folder = tmp_path_factory.mktemp("null")
    judged = Judged(world.scorer_judge, world.test, name=world.scorer_judge_name)
    return untrained_null(
        target,
        wanted(list(extent.all())),
        judged,
        searched(world),
        class_of,
        extent=extent,
        folder=folder,
        shipped=(SHIPPED,),
        read=refuse,
    )


def test_every_place_of_the_embedded_model_has_a_null_of_at_least_200_units(shipped: Null) -> None:
    assert len(shipped.places) == 11 + 2 * 6 + 4
    assert min(null.units for null in shipped.places.values()) >= 200


def test_backgrounds_are_easy_for_untrained_units_and_colors_are_not(shipped: Null) -> None:
    unit = Address("language", 3, "mlp", 17)
    background, color, pair = (
        shipped.threshold(unit, Reading(), concept, class_of)
        for concept in ("dark background", "red thing", "red star")
    )
    assert background is not None and color is not None and pair is not None
    assert background > 0.6 > 0.3 > max(color, pair)
    assert {"kind", "asked", "answer"} <= set(shipped.places[place(unit, "answer")].thresholds)


def test_two_colors_need_more_than_one_and_far_less_than_a_background_with_something_else(
    shipped: Null,
) -> None:
    unit = Address("language", 3, "mlp", 17)
    one, two, background = (
        shipped.threshold(unit, Reading(), concept, class_of)
        for concept in ("red thing", "red thing | blue thing", "red thing & dark background")
    )
    assert one is not None and two is not None and background is not None
    assert one < two < 0.3 < 0.6 < background
