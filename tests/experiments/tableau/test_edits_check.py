"""Measuring an editor: the exact edit passes, no edit does not, and damage elsewhere is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from PIL import Image

from experiments.registry import open_judge
from experiments.tableau.edits_check import check_edits, verdict
from experiments.tableau.redraw_check import check_redrawing
from experiments.tableau.scene import Scene, Thing
from experiments.tableau.source import painted
from experiments.tableau.trial_edits import fresh
from experiments.tableau.triples import EDIT_KINDS, Triple

STAR = Thing("star", "red", "solid", "large", 30, 30)
RING = Thing("ring", "green", "dotted", "small", 85, 85)
SEEN = Scene("gray", (STAR, RING))
BLUE = replace(SEEN, things=(replace(STAR, color="blue"), RING))
RECOLORED = Triple("color", SEEN, ("make the star blue",), BLUE)
REMOVED = Triple("remove", SEEN, ("remove the star",), replace(SEEN, things=(RING,)))
MOON = Thing("moon", "pink", "solid", "small", 85, 30)
ADDED = Triple("add", SEEN, ("add a pink moon right of the star",), replace(SEEN, things=(STAR, RING, MOON)))
DARK = Triple("background", SEEN, ("make the background dark",), replace(SEEN, background="dark"))
DRAWN = Triple("draw", Scene("light"), ("draw a red star and a ring on a gray background",), SEEN)
ALL = (RECOLORED, REMOVED, ADDED, DARK, DRAWN)


@pytest.mark.parametrize("asked", ALL, ids=lambda one: str(one.kind))
def test_the_scene_that_was_asked_for_is_done_and_kept(asked: Triple) -> None:
    assert verdict(asked, asked.after) == (True, True)


@pytest.mark.parametrize("asked", ALL[:-1], ids=lambda one: str(one.kind))
def test_the_scene_before_is_kept_and_not_done(asked: Triple) -> None:
    assert verdict(asked, asked.before) == (False, True)


def test_an_edit_that_changes_another_thing_too_is_done_and_not_kept() -> None:
    other = replace(BLUE, things=(BLUE.things[0], replace(RING, fill="striped")))
    assert verdict(RECOLORED, other) == (True, False)


def test_a_thing_that_changed_in_another_way_too_is_not_kept() -> None:
    other = replace(BLUE, things=(replace(BLUE.things[0], size="small"), RING))
    assert verdict(RECOLORED, other) == (True, False)


def test_a_thing_that_came_without_being_asked_for_is_not_kept() -> None:
    assert verdict(RECOLORED, replace(BLUE, things=(*BLUE.things, MOON))) == (True, False)


def test_what_is_added_elsewhere_than_asked_is_not_done() -> None:
    left = replace(MOON, x=12.0, y=80.0)
    assert not verdict(ADDED, replace(SEEN, things=(STAR, RING, left))).done


def test_a_drawing_in_which_one_thing_stands_for_two_is_not_done() -> None:
    two = Triple("draw", Scene("light"), ("draw a star and a red star on a gray background",), SEEN)
    assert not verdict(two, SEEN).done


def test_the_exact_editor_is_found_right_and_idleness_is_not() -> None:
    asked = fresh(3, seed=1)
    after = {one.wordings[0]: painted(one.after) for one in asked}

    def exact(before: Sequence[Image.Image], said: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        return [after[words] for words in said]

    found = check_edits(exact, list, open_judge(), asked, 0, lambda _: None)
    assert set(found["kinds"]) == set(EDIT_KINDS)
    assert found["all"]["edited"]["done"]["share"] >= 0.9
    assert found["all"]["edited"]["both"]["share"] >= 0.8
    assert found["all"]["unedited"]["done"]["share"] <= 0.1
    assert found["all"]["elsewhere"]["edited"]["gray levels"] == 0
    assert found["all"]["edited"]["done"]["n"] == len(asked)


def test_fresh_edits_are_the_same_for_the_same_seed_and_as_many_of_every_kind() -> None:
    asked = fresh(2, seed=3)
    assert asked == fresh(2, seed=3)
    assert [one.kind for one in asked] == [kind for kind in EDIT_KINDS for _ in range(2)]


def test_what_a_redrawing_loses_is_told_beside_what_the_judge_reads_anyway() -> None:
    def gray(pictures: Sequence[Image.Image]) -> list[Image.Image]:
        return [picture.convert("L").convert("RGB") for picture in pictures]

    found = check_redrawing(gray, open_judge(), 24, seed=1)
    assert found["shown"]["color"]["accuracy"] >= 0.9
    assert found["redrawn"]["color"]["accuracy"] <= 0.5
    assert found["shown"]["background"]["n"] == 24
