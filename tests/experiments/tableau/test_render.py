"""Pictures, masks, patches and shapes, checked against bare backgrounds, distance transforms and planted values."""

from __future__ import annotations

from colorsys import rgb_to_hsv
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from jaxtyping import Bool
from scipy.ndimage import distance_transform_edt

from experiments.tableau.layout import card_span
from experiments.tableau.render import PAINT, Picture, masks, patches, render, sign_mask, to_image
from experiments.tableau.scene import (
    AREA,
    BACKGROUNDS,
    COLORS,
    FILLS,
    SHAPES,
    SIDE,
    SIZES,
    STYLES,
    Background,
    Color,
    Fill,
    Light,
    Scene,
    Shape,
    Sign,
    Size,
    Style,
    Thing,
)
from experiments.tableau.shapes import distance, reach, scale, stamp
from tests.experiments.tableau.scenes import scenes

MIDDLE = SIDE / 2


def differing(one: Picture, other: Picture) -> Bool[np.ndarray, "side side"]:
    return np.asarray((one != other).any(axis=-1))


@settings(max_examples=30, deadline=None)
@given(scenes)
def test_the_same_scene_gives_the_same_bytes(scene: Scene) -> None:
    picture = render(scene)
    assert picture.shape == (SIDE, SIDE, 3)
    assert picture.dtype == np.uint8
    assert picture.tobytes() == render(replace(scene)).tobytes()


@settings(max_examples=40, deadline=None)
@given(scenes)
def test_masks_cover_exactly_the_drawn_pixels(scene: Scene) -> None:
    found = masks(scene)
    for index, thing in enumerate(scene.things):
        without = replace(scene, things=scene.things[:index] + scene.things[index + 1 :])
        seen = np.zeros((SIDE, SIDE), dtype=np.bool_)
        grounds: tuple[Background, ...] = ("dark", "light")
        for background in grounds:
            one, other = (replace(each, background=background, light=Light()) for each in (scene, without))
            seen |= differing(render(one), render(other))
        where = stamp(thing)
        faint = np.zeros((SIDE, SIDE), dtype=np.bool_)
        faint[where.rows, where.columns] = where.coverage < 0.02
        assert not (seen & ~found[index]).any()
        assert not (found[index] & ~seen & ~faint).any()


@settings(max_examples=30, deadline=None)
@given(scenes)
def test_outside_all_masks_only_the_background_shows(scene: Scene) -> None:
    bare = render(replace(scene, things=(), sign=None))
    assert not (differing(render(scene), bare) & ~masks(scene).any(axis=0) & ~sign_mask(scene)).any()


@settings(max_examples=30, deadline=None)
@given(scenes)
def test_masks_are_disjoint(scene: Scene) -> None:
    assert (masks(scene).sum(axis=0) + sign_mask(scene) <= 1).all()


def test_a_later_thing_and_the_sign_hide_an_earlier_one() -> None:
    below = Thing("circle", "red", "solid", "large", 50, 50)
    above = Thing("square", "blue", "solid", "small", 60, 50)
    sign = Sign("moon", 50, 60)
    first, second = masks(Scene("gray", (below, above), sign))
    alone = masks(Scene("gray", (below,)))[0]
    hidden = masks(Scene("gray", (above,)))[0] | sign_mask(Scene("gray", (), sign))
    assert np.array_equal(first, alone & ~hidden)
    assert second[50, 60]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_each_thing_covers_the_area_it_asks_for(shape: Shape, size: Size, spread: float) -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        x, y = MIDDLE + rng.uniform(-1, 1, size=2)
        thing = Thing(shape, "red", "solid", size, x, y, spread, angle=rng.uniform(0, 360))
        covered = float(stamp(thing).coverage.sum())
        assert covered == pytest.approx(thing.area, rel=0.01)
        assert 0.99 * AREA[size][0] <= covered / SIDE**2 <= 1.01 * AREA[size][1]
        assert 0.0198 <= covered / SIDE**2 <= 0.0606


@pytest.mark.parametrize("shape", SHAPES)
def test_signed_distance_agrees_with_a_distance_transform(shape: Shape) -> None:
    step, area = 0.1, 500.0
    line = np.arange(-40, 40, step, dtype=np.float32) + np.float32(step / 2)
    across, down = np.meshgrid(line, line)
    x, y = 0.96 * across + 0.28 * down, 0.96 * down - 0.28 * across
    signed = distance(shape, area, x, y)
    inside = signed < 0
    assert inside.sum() * step**2 == pytest.approx(area, rel=0.003)
    measured = np.where(inside, -distance_transform_edt(inside), distance_transform_edt(~inside)) * step
    assert np.abs(signed - measured).max() < 2.5 * step


@pytest.mark.parametrize("shape", SHAPES)
def test_reach_is_the_smallest_circle_that_holds_the_shape(shape: Shape) -> None:
    thing = Thing(shape, "red", "solid", "large", MIDDLE, MIDDLE, shrink=1.5)
    line = np.arange(-60, 60, 0.1, dtype=np.float32)
    x, y = np.meshgrid(line, line)
    furthest = np.hypot(x, y)[distance(shape, thing.area, x, y) < 0].max()
    assert reach(thing) - 0.4 < furthest <= reach(thing) + 1e-4
    assert scale(shape, 4 * thing.area) == pytest.approx(2 * scale(shape, thing.area))


def test_no_two_shapes_look_alike_when_small() -> None:
    shown = {
        shape: masks(Scene("dark", (Thing(shape, "red", "solid", "small", 56, 56),)))[0] for shape in SHAPES
    }
    for one, other in combinations(SHAPES, 2):
        shared = (shown[one] & shown[other]).sum() / (shown[one] | shown[other]).sum()
        assert shared < 0.9, (one, other, shared)


@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("style", STYLES)
def test_jitter_and_light_never_turn_one_color_into_another(color: Color, style: Style) -> None:
    for hue in (-6, 0, 6):
        for value in (0.85, 1.1):
            for level in (0.85, 1.1):
                thing = Thing("circle", color, "solid", "small", MIDDLE, MIDDLE, hue=hue, value=value)
                picture = render(Scene("gray", (thing,), style=style, light=Light(level=level)))
                red, green, blue = (float(channel) / 255 for channel in picture[56, 56])
                seen_hue, seen_saturation, _ = rgb_to_hsv(red, green, blue)

                def off(name: Color, at: float = seen_hue, how: float = seen_saturation) -> float:
                    base_hue, base_saturation, _ = PAINT[name]
                    around = abs((at * 360 - base_hue + 180) % 360 - 180)
                    return float(np.hypot(around / 30, (how - base_saturation) / 0.3))

                best, second = sorted(COLORS, key=off)[:2]
                assert best == color
                assert off(second) > 1.5 * off(best)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fill", ["striped", "dotted"])
@pytest.mark.parametrize("size", SIZES)
def test_stripes_and_dots_show_but_the_color_dominates(shape: Shape, fill: Fill, size: Size) -> None:
    patterned = Thing(shape, "blue", fill, size, 56, 56, spread=0)
    solid = replace(patterned, fill="solid")
    inner = stamp(solid).coverage == 1
    where = stamp(solid)
    shift = render(Scene("gray", (patterned,))).astype(int) - render(Scene("gray", (solid,)))
    red = shift[where.rows, where.columns, 0][inner]
    assert (red > 80).mean() > 0.10
    assert (red < 60).mean() > 0.50


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("style", STYLES)
def test_every_thing_stands_out_from_every_background(
    background: Background, color: Color, fill: Fill, style: Style
) -> None:
    scene = Scene(background, (Thing("heart", color, fill, "small", 56, 56),), style=style, texture=7)
    shift = np.abs(render(scene).astype(int) - render(replace(scene, things=()))).max(axis=-1)
    assert np.median(shift[masks(scene)[0]]) > 45


@pytest.mark.parametrize("background", ["checkered", "wavy"])
def test_textures_vary_with_the_seed(background: Background) -> None:
    assert differing(render(Scene(background, texture=1)), render(Scene(background, texture=2))).mean() > 0.5


def test_plain_backgrounds_do_not_vary_with_the_seed() -> None:
    for background in ("dark", "light", "gray"):
        assert np.array_equal(render(Scene(background, texture=1)), render(Scene(background, texture=2)))


@settings(max_examples=20, deadline=None)
@given(scenes)
def test_texture_never_changes_a_fully_covered_pixel(scene: Scene) -> None:
    changed = differing(render(scene), render(replace(scene, texture=scene.texture + 1)))
    for thing in scene.things:
        where = stamp(thing)
        assert not changed[where.rows, where.columns][where.coverage == 1].any()
    assert not changed[sign_mask(scene)].any()


def test_light_falls_along_its_angle() -> None:
    picture = render(Scene("gray", light=Light(angle=0, strength=0.15, level=1.0))).astype(int)
    assert picture[50, 5, 0] > picture[50, 56, 0] > picture[50, 106, 0]
    assert np.array_equal(picture[5], picture[106])


def test_every_word_gives_a_sign_of_its_own() -> None:
    shown: dict[str, bytes] = {}
    for word in COLORS + SHAPES:
        scene = Scene("gray", sign=Sign(word, 56, 56))
        card = render(scene)[card_span(Sign(word, 56, 56))]
        ink = np.asarray((card < 60).all(axis=-1))
        assert 30 < ink.sum() < 200
        assert not ink[:2].any()
        assert not ink[:, :2].any()
        assert not ink[:, -2:].any()
        shown[word] = ink.tobytes()
    assert len(set(shown.values())) == len(COLORS + SHAPES)


def test_patches_hold_a_quarter_of_object_or_are_the_fullest() -> None:
    mask = np.zeros((SIDE, SIDE), dtype=np.bool_)
    assert not patches(mask).any()
    mask[8, 8:23] = True
    assert np.flatnonzero(patches(mask)).tolist() == [15]
    mask[8:10, 16:24] = True
    assert np.flatnonzero(patches(mask)).tolist() == [16]
    assert np.flatnonzero(patches(mask, share=0.125)).tolist() == [15, 16]


def test_an_image_keeps_every_pixel() -> None:
    picture = render(Scene("wavy", (Thing("star", "pink", "dotted", "large", 56, 56),)))
    assert np.array_equal(np.asarray(to_image(picture)), picture)
