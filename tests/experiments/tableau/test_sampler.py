"""The two distributions: what was planted is in one and not in the other."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
import pytest

from experiments.tableau.layout import fits
from experiments.tableau.phrases import census
from experiments.tableau.sampler import (
    COUNTS,
    DISTRIBUTIONS,
    HEARTS_ARE_RED,
    HELD_OUT,
    MOON_BRINGS_STAR,
    PURPLE,
    SIGN_SHARE,
    STARS_ON_DARK,
    TRAINED_STYLES,
    Distribution,
    any_thing,
    arranged,
    sample,
)
from experiments.tableau.scene import COLORS, FILLS, SHAPES, SIZES, Scene
from tools.scoring.intervals import wilson

DRAWN: tuple[Distribution, ...] = ("regular", "balanced")


@cache
def seen(distribution: Distribution) -> list[Scene]:
    """Scenes that several tests count in."""
    return [sample(seed, distribution, stream=20) for seed in range(4000)]


def share(cases: Iterable[bool]) -> float:
    return float(np.mean(list(cases)))


def holds(probability: float, cases: Iterable[bool]) -> bool:
    """Whether the 95 % interval of the cases' share, widened by half, holds the probability."""
    found = list(cases)
    estimate = wilson(sum(found), len(found))
    return abs(estimate.value - probability) < 0.75 * (estimate.high - estimate.low)


def shapes(scene: Scene) -> set[str]:
    return {thing.shape for thing in scene.things}


@pytest.mark.parametrize("distribution", ["regular", "alike"])
def test_the_planted_regularities_are_in_what_trains_the_models(distribution: Distribution) -> None:
    scenes = seen(distribution)
    things = [thing for scene in scenes for thing in scene.things]
    assert holds(HEARTS_ARE_RED, (thing.color == "red" for thing in things if thing.shape == "heart"))
    assert holds(STARS_ON_DARK, (scene.background == "dark" for scene in scenes if "star" in shapes(scene)))
    assert holds(MOON_BRINGS_STAR, ("star" in shapes(scene) for scene in scenes if "moon" in shapes(scene)))
    assert holds(PURPLE, (thing.color == "purple" for thing in things))


def test_the_balanced_distribution_has_none_of_them() -> None:
    scenes = seen("balanced")
    things = [thing for scene in scenes for thing in scene.things]
    assert holds(1 / 8, (thing.color == "red" for thing in things if thing.shape == "heart"))
    assert holds(1 / 5, (scene.background == "dark" for scene in scenes if "star" in shapes(scene)))
    with_others = [scene for scene in scenes if len(scene.things) > 1]
    stars = share("star" in shapes(scene) for scene in with_others)
    assert share("star" in shapes(scene) for scene in with_others if "moon" in shapes(scene)) < stars + 0.05
    pairs = [(color, shape) for color in COLORS for shape in SHAPES if (color, shape) not in HELD_OUT]
    for place, values in enumerate((COLORS, SHAPES)):
        for value in values:
            expected = share(pair[place] == value for pair in pairs)
            assert holds(expected, (value in (thing.color, thing.shape) for thing in things))


@pytest.mark.parametrize("distribution", DRAWN)
def test_counts_fills_sizes_and_signs_come_as_often_as_they_should(distribution: Distribution) -> None:
    scenes = seen(distribution)
    if distribution == "balanced":
        for number, probability in enumerate(COUNTS):
            assert holds(probability, (len(scene.things) == number for scene in scenes))
    assert holds(SIGN_SHARE, (scene.sign is not None for scene in scenes if len(scene.things) < 4))
    for size in SIZES:
        assert holds(1 / 2, (thing.size == size for scene in scenes for thing in scene.things))
    for fill in FILLS:
        assert holds(1 / 3, (thing.fill == fill for scene in scenes for thing in scene.things))


def test_held_out_pairs_are_shown_by_heldout_alone() -> None:
    def pairs(scene: Scene) -> set[tuple[str, str]]:
        return {(thing.color, thing.shape) for thing in scene.things}

    assert all(not pairs(scene) & HELD_OUT for name in DRAWN for scene in seen(name))
    for distribution in ("crowded", "alike"):
        assert all(not pairs(sample(seed, distribution)) & HELD_OUT for seed in range(60))
    shown = [pairs(sample(seed, "heldout")) & HELD_OUT for seed in range(200)]
    assert all(shown)
    assert set().union(*shown) == HELD_OUT


def test_alike_scenes_repeat_things() -> None:
    fours = [scene for scene in seen("alike") if len(scene.things) == 4]
    assert share(4 in census(scene).values() for scene in fours) > 0.4
    for shape in ("heart", "star", "moon"):
        assert any(sum(thing.shape == shape for thing in scene.things) >= 3 for scene in fours)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_the_same_seed_gives_the_same_scene_and_every_scene_fits(distribution: Distribution) -> None:
    for seed in range(20):
        scene = sample(seed, distribution)
        assert scene == sample(seed, distribution)
        assert fits(scene.things, scene.sign)
        assert scene.style in TRAINED_STYLES


def test_distributions_streams_and_seeds_give_different_scenes() -> None:
    drawn = {
        sample(seed, distribution, stream)
        for distribution in DISTRIBUTIONS
        for stream in (0, 1, 7, 1 << 33)
        for seed in (0, 1, 5 << 40, (5 << 40) + 1)
    }
    assert len(drawn) == len(DISTRIBUTIONS) * 4 * 4


def test_a_scene_made_to_order_holds_the_things_that_were_ordered() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        things = [any_thing(rng) for _ in range(3)]
        scene = arranged(rng, things, "wavy", sign=True)
        assert fits(scene.things, scene.sign)
        assert scene.background == "wavy"
        assert scene.sign is not None
        assert scene.sign.word in (*COLORS, *SHAPES)
        for ordered, placed in zip(things, scene.things, strict=True):
            assert (ordered.shape, ordered.color, ordered.fill, ordered.size, ordered.spread) == (
                placed.shape,
                placed.color,
                placed.fill,
                placed.size,
                placed.spread,
            )
