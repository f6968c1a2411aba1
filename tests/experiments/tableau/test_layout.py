"""Where things fit, checked against their masks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.tableau.layout import fits, inside, overlaps, place
from experiments.tableau.render import masks, sign_mask
from experiments.tableau.scene import SIDE, Scene, Sign, Thing
from experiments.tableau.shapes import reach, stamp
from store.errors import UserError
from tests.experiments.tableau.scenes import random_thing, scenes

seeds = st.integers(0, 2**32 - 1)
places = st.floats(25, 87)


@settings(max_examples=50, deadline=None)
@given(scenes)
def test_what_was_placed_fits(scene: Scene) -> None:
    assert fits(scene.things, scene.sign)


@settings(max_examples=200, deadline=None)
@given(seeds, places, places)
def test_two_things_overlap_exactly_when_they_share_a_pixel(seed: int, x: float, y: float) -> None:
    rng = np.random.default_rng(seed)
    one, other = replace(random_thing(rng), x=56.3, y=55.8), replace(random_thing(rng), x=x, y=y)
    both = masks(Scene("gray", (one,)))[0] & masks(Scene("gray", (other,)))[0]
    assert overlaps(one, other) == overlaps(other, one) == both.any()


@settings(max_examples=200, deadline=None)
@given(seeds, places, places)
def test_a_thing_overlaps_a_sign_exactly_when_they_share_a_pixel(seed: int, x: float, y: float) -> None:
    thing, sign = replace(random_thing(np.random.default_rng(seed)), x=56.3, y=55.8), Sign("red", x, y)
    shared = masks(Scene("gray", (thing,)))[0] & sign_mask(Scene("gray", sign=sign))
    assert overlaps(thing, sign) == shared.any()


@settings(max_examples=100, deadline=None)
@given(seeds, st.floats(0, SIDE), st.floats(0, SIDE))
def test_what_is_inside_draws_no_pixel_beyond_the_picture(seed: int, x: float, y: float) -> None:
    thing = replace(random_thing(np.random.default_rng(seed)), x=x, y=y)
    if inside(thing):
        assert stamp(thing).coverage.sum() == pytest.approx(thing.area, rel=0.01)
        shown = masks(Scene("gray", (thing,)))[0]
        assert not shown[[0, -1]].all(axis=-1).any()


def test_a_thing_within_the_bay_of_a_moon_does_not_overlap_it() -> None:
    moon = Thing("moon", "yellow", "solid", "large", 50, 56)
    dot = Thing("circle", "red", "solid", "small", 63, 56, shrink=0.5)
    assert np.hypot(moon.x - dot.x, moon.y - dot.y) < reach(moon) + reach(dot)
    assert fits([moon, dot])
    assert not fits([moon, replace(dot, x=40)])


def test_the_margin_belongs_to_the_picture() -> None:
    circle = Thing("circle", "red", "solid", "small", 56, 56)
    edge = reach(circle) + 1
    assert inside(replace(circle, x=edge + 1e-6))
    assert not inside(replace(circle, x=edge - 1e-6))
    assert inside(Sign("red", 23, 8.5))
    assert not inside(Sign("red", 22.9, 8.5))


def test_the_same_generator_gives_the_same_layout() -> None:
    reaches = [20.0, 10.0, 12.0]
    assert place(np.random.default_rng(3), reaches, sign=True) == place(
        np.random.default_rng(3), reaches, sign=True
    )


def test_four_large_stars_find_room() -> None:
    star = Thing("star", "red", "solid", "large", 0, 0, spread=1.0)
    for seed in range(20):
        layout = place(np.random.default_rng(seed), [reach(star)] * 4)
        assert fits([replace(star, x=spot.x, y=spot.y) for spot in layout.things])


def test_centers_come_in_the_order_of_the_reaches() -> None:
    layout = place(np.random.default_rng(0), [9.0, 40.0])
    assert 41 <= layout.things[1].x <= 71
    assert place(np.random.default_rng(0), []).things == ()


@pytest.mark.parametrize("reaches", [[60.0], [30.0, 30.0, 30.0, 30.0]])
def test_no_room_is_said_in_a_sentence(reaches: list[float]) -> None:
    with pytest.raises(UserError) as refused:
        place(np.random.default_rng(0), reaches, sign=True)
    named = ", ".join(f"{value:.0f}" for value in reaches)
    assert refused.value.message == (
        f"`{named}`: no room was found for things of these radii in pixels and a sign."
    )
    assert refused.value.kind == "no-room"
    assert refused.value.hint == "Use fewer or smaller things, or leave the sign out."
