"""Exact edits: what changes, what stays, and what is refused."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from experiments.tableau.edit import (
    Add,
    Change,
    Move,
    Recolor,
    Refill,
    Remove,
    Reshape,
    Resize,
    SetBackground,
    SetSign,
    SetStyle,
    edit,
)
from experiments.tableau.layout import fits
from experiments.tableau.render import masks, render, sign_mask
from experiments.tableau.scene import (
    BACKGROUNDS,
    COLORS,
    FILLS,
    SHAPES,
    SIZES,
    STYLES,
    Background,
    Scene,
    Sign,
    Thing,
)
from experiments.tableau.shapes import stamp
from store.errors import UserError
from tests.experiments.tableau.scenes import random_thing, scenes

STAR = Thing("star", "red", "solid", "large", 40, 40)
RING = Thing("ring", "blue", "striped", "small", 90, 90)
SCENE = Scene("gray", (STAR, RING))


def random_change(seed: int, scene: Scene) -> Change:
    rng = np.random.default_rng(seed)
    index = int(rng.integers(max(len(scene.things), 1)))
    x, y = rng.uniform(12, 100, size=2).tolist()
    changes: tuple[Change, ...] = (
        Recolor(index, COLORS[rng.integers(8)]),
        Reshape(index, SHAPES[rng.integers(8)]),
        Refill(index, FILLS[rng.integers(3)]),
        Resize(index, SIZES[rng.integers(2)]),
        Move(index, x, y),
        Remove(index),
        Add(replace(random_thing(rng), x=x, y=y)),
        SetSign(None),
        SetSign(Sign("moon", 60, y)),
    )
    return changes[rng.integers(len(changes))]


def edited_if_allowed(scene: Scene, seed: int) -> Scene | None:
    try:
        return edit(scene, random_change(seed, scene))
    except UserError:
        return None


@settings(max_examples=150, deadline=None)
@given(scenes, st.integers(0, 2**32 - 1))
def test_an_edit_changes_only_pixels_of_the_old_and_new_thing(scene: Scene, seed: int) -> None:
    edited = edited_if_allowed(scene, seed)
    assume(edited is not None)
    assert edited is not None
    touched = np.zeros((112, 112), dtype=np.bool_)
    for before, after in ((scene, edited), (edited, scene)):
        for thing, mask in zip(before.things, masks(before), strict=True):
            if thing not in after.things:
                touched |= mask
    if scene.sign != edited.sign:
        touched |= sign_mask(scene) | sign_mask(edited)
    changed = (render(scene) != render(edited)).any(axis=-1)
    assert changed.any()
    assert not (changed & ~touched).any()
    assert fits(edited.things, edited.sign)


@settings(max_examples=60, deadline=None)
@given(scenes, st.integers(0, 2**32 - 1))
def test_an_edit_changes_one_field(scene: Scene, seed: int) -> None:
    edited = edited_if_allowed(scene, seed)
    assume(edited is not None)
    assert edited is not None
    changed = [
        field.name for field in fields(Scene) if getattr(scene, field.name) != getattr(edited, field.name)
    ]
    assert changed in (["things"], ["sign"])


@settings(max_examples=30, deadline=None)
@given(scenes, st.sampled_from(BACKGROUNDS))
def test_another_background_leaves_fully_covered_pixels_alone(scene: Scene, background: Background) -> None:
    assume(scene.background != background)
    edited = edit(scene, SetBackground(background))
    changed = (render(scene) != render(edited)).any(axis=-1)
    for thing in scene.things:
        where = stamp(thing)
        assert not changed[where.rows, where.columns][where.coverage == 1].any()
    assert not changed[sign_mask(scene)].any()
    assert np.array_equal(masks(scene), masks(edited))


def test_another_style_leaves_the_background_alone() -> None:
    for style in STYLES[1:]:
        edited = edit(SCENE, SetStyle(style))
        changed = (render(SCENE) != render(edited)).any(axis=-1)
        assert changed.any()
        assert not (changed & ~masks(SCENE).any(axis=0)).any()


def test_each_change_sets_what_it_names() -> None:
    assert edit(SCENE, Recolor(0, "cyan")).things == (replace(STAR, color="cyan"), RING)
    assert edit(SCENE, Reshape(1, "heart")).things == (STAR, replace(RING, shape="heart"))
    assert edit(SCENE, Refill(0, "dotted")).things == (replace(STAR, fill="dotted"), RING)
    assert edit(SCENE, Resize(0, "small")).things == (replace(STAR, size="small"), RING)
    assert edit(SCENE, Move(1, 90.0, 30.0)).things == (STAR, replace(RING, x=90.0, y=30.0))
    assert edit(SCENE, Remove(0)).things == (RING,)
    moon = Thing("moon", "pink", "solid", "small", 90, 30)
    assert edit(SCENE, Add(moon)).things == (STAR, RING, moon)
    assert edit(SCENE, SetBackground("wavy")) == replace(SCENE, background="wavy")
    sign = Sign("red", 40, 90)
    assert edit(SCENE, SetSign(sign)).sign == sign
    assert edit(edit(SCENE, SetSign(sign)), SetSign(None)) == SCENE


@pytest.mark.parametrize(
    ("scene", "change", "kind", "message"),
    [
        (SCENE, Recolor(2, "red"), "no-such-thing", "`things[2]`: the scene has only things 0–1."),
        (SCENE, Remove(-1), "no-such-thing", "`things[-1]`: the scene has only things 0–1."),
        (Scene("dark", (STAR,)), Remove(1), "no-such-thing", "`things[1]`: the scene has only thing 0."),
        (Scene("dark"), Remove(0), "no-such-thing", "`things[0]`: the scene has no things."),
        (
            SCENE,
            Recolor(0, "red"),
            "no-change",
            "`Recolor(index=0, color='red')` changes nothing: the scene is like that already.",
        ),
        (SCENE, Move(1, 5, 50), "outside", "`small ring` at `(5, 50)` would leave the picture."),
        (
            SCENE,
            Move(1, 45, 40),
            "overlap",
            "`small ring` at `(45, 40)` would overlap the red star at `(40, 40)`.",
        ),
        (
            SCENE,
            SetSign(Sign("moon", 80, 88)),
            "overlap",
            '`sign "moon"` at `(80, 88)` would overlap the blue ring at `(90, 90)`.',
        ),
        (
            SCENE,
            SetSign(Sign("moon", 10, 88)),
            "outside",
            '`sign "moon"` at `(10, 88)` would leave the picture.',
        ),
        (
            Scene("dark", (STAR,), Sign("blue", 40, 90)),
            Move(0, 40, 80),
            "overlap",
            '`large star` at `(40, 80)` would overlap the sign "blue" at `(40, 90)`.',
        ),
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(
    scene: Scene, change: Change, kind: str, message: str
) -> None:
    with pytest.raises(UserError) as refused:
        edit(scene, change)
    assert refused.value.message == message
    assert refused.value.kind == kind
    assert refused.value.hint.endswith(".")
