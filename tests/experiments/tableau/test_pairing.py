"""Exact pairs: the concept's truth changes, and nothing that it does not speak of."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from experiments.tableau.concepts import holds, read_concept
from experiments.tableau.data import SOURCES
from experiments.tableau.editor import ExactEditor
from experiments.tableau.layout import fits
from experiments.tableau.pairing import MOST_THINGS
from experiments.tableau.parse import parse
from experiments.tableau.questions import Question, Unanswerable, answer
from experiments.tableau.recall import recall
from experiments.tableau.sampler import HELD_OUT
from experiments.tableau.scene import Scene, Thing
from experiments.tableau.source import TableauSource
from tools.stimuli import Change, Pair

TRAIN = TableauSource("train")
EDITOR = ExactEditor()
CONCEPTS = (
    "red star",
    "large star",
    "striped thing",
    "circle",
    "blue thing",
    "small dotted ring",
    "warm thing",
    "round thing",
    "patterned square",
    "moon except dotted",
    "red thing in the upper left",
    "star except in the lower right",
    "dark background",
    "textured background",
    "purple thing",
)
numbers, seeds = st.integers(0, len(TRAIN) - 1), st.integers(0, 2**31)
concepts = st.sampled_from(CONCEPTS)
changes: st.SearchStrategy[Change] = st.sampled_from(("add", "remove", "swap"))


def scenes_of(pair: Pair) -> tuple[Scene, Scene]:
    return recall(pair.without.key).scene, recall(pair.with_.key).scene


def looks(thing: Thing) -> tuple[object, ...]:
    return tuple(getattr(thing, field.name) for field in fields(Thing))


@settings(max_examples=80)
@given(numbers, concepts, changes, seeds)
def test_the_two_pictures_differ_in_the_truth_of_the_concept_and_nowhere_else(
    number: int, phrase: str, change: Change, seed: int
) -> None:
    stimulus = TRAIN.picture(number)
    pair = EDITOR.pair(stimulus, phrase, change, seed)
    assume(pair is not None)
    assert pair is not None
    without, with_ = scenes_of(pair)
    concept = read_concept(phrase)
    assert (holds(concept, without), holds(concept, with_)) == (False, True)
    source, edited = (pair.without, pair.with_) if change == "add" else (pair.with_, pair.without)
    assert source.key == stimulus.key
    assert edited.key == f"{stimulus.key}|{change} {phrase} #{seed}"

    assert pair.region is not None
    outside = ~pair.region
    first, second = np.asarray(pair.without.image), np.asarray(pair.with_.image)
    assert (first[outside] == second[outside]).all()
    assert (first != second).any()

    assert (without.sign, without.style, without.light, without.texture) == (
        with_.sign,
        with_.style,
        with_.light,
        with_.texture,
    )
    gone = Counter(map(looks, with_.things)) - Counter(map(looks, without.things))
    come = Counter(map(looks, without.things)) - Counter(map(looks, with_.things))
    if concept.background is not None:
        assert without.things == with_.things
    elif change == "swap":
        assert (gone.total(), come.total()) == (1, 1)
        (old,), (new,) = gone, come
        assert sum(one != other for one, other in zip(old, new, strict=True)) == 1
        assert without.background == with_.background
    else:
        assert come.total() == 0
        assert gone.total() == (1 if change == "add" else sum(map(concept.matches, with_.things)))
        assert without.background == with_.background


@settings(max_examples=80)
@given(numbers, concepts, changes, seeds)
def test_edited_scenes_are_scenes_of_the_world(number: int, phrase: str, change: Change, seed: int) -> None:
    pair = EDITOR.pair(TRAIN.picture(number), phrase, change, seed)
    assume(pair is not None)
    assert pair is not None
    for seen in scenes_of(pair):
        assert fits(seen.things, seen.sign)
        assert len(seen.things) <= MOST_THINGS
        assert not {(thing.color, thing.shape) for thing in seen.things} & HELD_OUT


@settings(max_examples=60)
@given(numbers, concepts, changes, seeds)
def test_a_question_stays_on_both_sides_with_the_right_answers_or_on_neither(
    number: int, phrase: str, change: Change, seed: int
) -> None:
    pair = EDITOR.pair(TRAIN.asked(number), phrase, change, seed)
    assume(pair is not None)
    assert pair is not None
    assert pair.without.question == pair.with_.question
    for side in (pair.without, pair.with_):
        assert bool(side.question) == ("?" in side.key) == bool(side.kind)
        if side.question:
            question = parse(side.question)
            assert question is not None
            assert answer(question, recall(side.key).scene) == side.answer
    if not pair.with_.question:
        question = parse(TRAIN.asked(number).question)
        assert question is not None
        assert not all(answerable(question, seen) for seen in scenes_of(pair))


def answerable(question: Question, seen: Scene) -> bool:
    try:
        return bool(answer(question, seen))
    except Unanswerable:
        return False


@pytest.mark.parametrize(
    ("phrase", "change", "least"),
    [
        ("red star", "add", 0.55),
        ("warm thing", "swap", 0.3),
        ("large thing", "remove", 0.7),
        ("dark background", "add", 0.75),
        ("dark background", "swap", 0.15),
        ("green circle", "add", 0.6),
    ],
)
def test_most_pictures_allow_a_pair(phrase: str, change: Change, least: float) -> None:
    made = [EDITOR.pair(TRAIN.picture(number), phrase, change, 0) for number in range(40)]
    assert sum(pair is not None for pair in made) / 40 >= least


def test_a_swap_follows_the_seed_over_the_words_of_the_concept() -> None:
    number = next(number for number in range(200) if matching(number, "striped star") == 1)
    told = set()
    for seed in range(12):
        pair = EDITOR.pair(TRAIN.picture(number), "striped star", "swap", seed)
        assert pair is not None
        again = EDITOR.pair(TRAIN.picture(number), "striped star", "swap", seed)
        assert again is not None
        assert again.without.sha256 == pair.without.sha256
        told.add(pair.changed.partition(" instead of ")[2].split()[0])
    assert told == {"striped", "star"}


def test_what_a_picture_does_not_allow_gives_no_pair() -> None:
    two = next(number for number in range(200) if matching(number, "thing") == 2)
    four = next(number for number in range(200) if matching(number, "thing") == MOST_THINGS)
    assert EDITOR.pair(TRAIN.picture(two), "thing", "add", 0) is None
    assert EDITOR.pair(TRAIN.picture(two), "thing", "swap", 0) is None
    absent = next(
        f"{color} {shape}"
        for color in ("red", "blue", "cyan")
        for shape in ("ring", "heart")
        if not matching(four, f"{color} {shape}")
    )
    assert EDITOR.pair(TRAIN.picture(four), absent, "remove", 0) is None
    assert EDITOR.pair(TRAIN.picture(four), absent, "add", 0) is None


def matching(number: int, phrase: str) -> int:
    return sum(map(read_concept(phrase).matches, recall(f"train/{number}").scene.things))


def test_splits_are_apart() -> None:
    assert len({SOURCES[split].stream for split in ("train", "select", "test", "check")}) == 4
