"""Pairs for combinations of phrases: their truth changes, by as little as can be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from experiments.tableau.combined import altered_combination, heard, spoken, true_of
from experiments.tableau.editor import ExactEditor
from experiments.tableau.recall import recall
from experiments.tableau.scene import Scene, Thing
from experiments.tableau.source import TableauSource
from store.errors import UserError
from tools.scoring.concept import read
from tools.stimuli import Change

TRAIN = TableauSource("train")
EDITOR = ExactEditor()
STAR = Thing("star", "red", "solid", "large", 30, 30)
MOON = Thing("moon", "blue", "striped", "small", 85, 30)
COMBINATIONS = (
    "star | moon",
    "red thing & circle",
    "striped thing & !dark background",
    "(star | ring) & small thing",
    "[red star] | textured background",
    "!(square | circle)",
)
changes: st.SearchStrategy[Change] = st.sampled_from(("add", "remove", "swap"))


@settings(max_examples=80)
@given(st.integers(0, 1499), st.sampled_from(COMBINATIONS), changes, st.integers(0, 1000))
def test_the_combination_holds_on_one_side_alone(number: int, text: str, change: Change, seed: int) -> None:
    pair = EDITOR.pair(TRAIN.asked(number), text, change, seed)
    assume(pair is not None)
    assert pair is not None
    without, with_ = recall(pair.without.key).scene, recall(pair.with_.key).scene
    assert (true_of(read(text), without), true_of(read(text), with_)) == (False, True)
    assert pair.region is not None
    first, second = np.asarray(pair.without.image), np.asarray(pair.with_.image)
    assert (first[~pair.region] == second[~pair.region]).all()
    asked = EDITOR.telling(pair, seed)
    assert asked.without.answer != asked.with_.answer
    assert asked.without.question == asked.with_.question


@pytest.mark.parametrize("text", COMBINATIONS)
def test_most_combinations_find_their_pairs(text: str) -> None:
    made = [
        EDITOR.pair(TRAIN.picture(number), text, change, 0)
        for number in range(40)
        for change in ("add", "remove")
    ]
    assert sum(pair is not None for pair in made) >= 15


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_both_go_where_either_is_enough_and_one_where_both_are_needed() -> None:
    seen = Scene("gray", (STAR, MOON))
    either = altered_combination(seen, read("star | moon"), "remove", rng())
    assert either is not None
    assert either.scene.things == ()
    assert set(either.touched) == {STAR, MOON}
    assert " and removed the " in either.told
    both = altered_combination(seen, read("star & moon"), "remove", rng())
    assert both is not None
    assert len(both.scene.things) == 1
    assert altered_combination(seen, read("star | moon"), "swap", rng()) is None


def test_what_is_ruled_out_is_added_to_break_a_combination() -> None:
    made = altered_combination(Scene("gray", (STAR,)), read("!moon"), "remove", rng())
    assert made is not None
    assert made.scene.things[0] == STAR
    assert made.scene.things[1].shape == "moon"


def test_combinations_are_spoken_in_keys_and_heard_again() -> None:
    for text in COMBINATIONS:
        assert heard(spoken(text)) == read(text)
    assert spoken("(star|ring) & !Dark background") == "( star or ring ) and not dark background"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("star |", "ends where a phrase should stand"),
        ("star & elephant", "`elephant` in `elephant`"),
        ("", "says nothing"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        EDITOR.pair(TRAIN.picture(0), text, "add", 0)
