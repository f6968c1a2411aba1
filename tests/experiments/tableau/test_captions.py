"""Captions: what they say is what there is, and it is read back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from experiments.tableau.captions import Claims, caption, parse_caption
from experiments.tableau.phrases import Phrase, full
from experiments.tableau.scene import Scene, Sign, Thing
from tests.experiments.tableau.scenes import scenes

STAR = Thing("star", "orange", "solid", "large", 80, 30)
RING = Thing("ring", "blue", "dotted", "small", 30, 90)


@settings(max_examples=100, deadline=None)
@given(scenes)
def test_a_caption_claims_exactly_what_the_scene_holds(scene: Scene) -> None:
    things = tuple(full(thing) for thing in sorted(scene.things, key=lambda thing: (thing.x, thing.y)))
    claims = parse_caption(caption(scene))
    assert claims == Claims(things, scene.background, scene.sign.word if scene.sign else None)


def test_things_are_named_from_left_to_right() -> None:
    assert (
        caption(Scene("dark", (STAR, RING), Sign("moon", 30, 20)))
        == "a small dotted blue ring , a large solid orange star on a dark background with a sign that says moon ."
    )
    assert caption(Scene("wavy")) == "nothing on a wavy background ."


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("", Claims(())),
        ("a red star , a small", Claims((Phrase(color="red", shape="star"),))),
        ("a red star a blue ring on a dark", Claims((), "dark")),
        ("an orange moon on a plaid background .", Claims((Phrase(color="orange", shape="moon"),))),
        ("nothing on a dark background with a sign that says", Claims((), "dark")),
        ("nothing on a dark background with a sign that says hello .", Claims((), "dark")),
        ("two stars , a star", Claims((Phrase(shape="star"),))),
    ],
)
def test_what_is_said_is_kept_and_what_makes_no_sense_passed_over(text: str, claims: Claims) -> None:
    assert parse_caption(text) == claims
