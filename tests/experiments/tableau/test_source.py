"""The world's collection of pictures: stable, apart by split, balanced questions with right answers."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from experiments.tableau.data import scene
from experiments.tableau.keys import Key, Step, plain_words, read_key
from experiments.tableau.parse import parse
from experiments.tableau.questions import ANSWERS, Kind, answer
from experiments.tableau.recall import recall
from experiments.tableau.render import render
from experiments.tableau.source import ASKED, TableauSource, painted
from store.errors import UserError
from tools.stimuli import ImageSource

TRAIN = TableauSource("train")


def test_it_is_an_image_source() -> None:
    source: ImageSource = TableauSource("select")
    assert (source.name, source.split, len(source)) == ("tableau", "select", 500)
    assert len(TableauSource("test", 7)) == 7


def test_pictures_are_those_of_the_split_and_painted_once() -> None:
    stimulus = TRAIN.picture(17)
    assert stimulus.key == "train/17"
    assert (stimulus.question, stimulus.answer, stimulus.kind) == ("", "", "")
    assert (np.asarray(stimulus.image) == render(scene("train", 17))).all()
    assert TRAIN.picture(17).image is stimulus.image is TRAIN.asked(17).image


@pytest.mark.parametrize("index", [-1, 500])
def test_there_is_nothing_beyond_the_end(index: int) -> None:
    with pytest.raises(IndexError, match=f"`select` has pictures 0–499, not {index}"):
        TableauSource("select").picture(index)


def test_each_picture_has_one_question_and_the_kinds_are_even() -> None:
    asked = [TRAIN.asked(index) for index in range(180)]
    for index, stimulus in enumerate(asked):
        question = parse(stimulus.question)
        assert question is not None
        assert question.kind == stimulus.kind
        assert answer(question, scene("train", index)) == stimulus.answer
        assert stimulus.key == f"train/{index}?"
        assert stimulus.sha256 != TRAIN.picture(index).sha256
    counts = Counter(stimulus.kind for stimulus in asked)
    assert set(counts) == set(ASKED)
    assert max(counts.values()) <= 26
    assert min(counts[kind] for kind in ASKED if kind != "sign") >= 12
    assert TRAIN.asked(31).sha256 == TableauSource("train").asked(31).sha256


@pytest.mark.parametrize("kind", ASKED)
def test_asking_gives_balanced_questions_with_right_answers(kind: Kind) -> None:
    stimuli = TRAIN.ask(kind, 16, 3)
    counts = Counter(stimulus.answer for stimulus in stimuli)
    assert max(counts.values()) - min(counts[word] for word in ANSWERS[kind]) <= 1
    for stimulus in stimuli:
        question, (_, seen) = parse(stimulus.question), recall(stimulus.key)
        assert question is not None
        assert answer(question, seen) == stimulus.answer
        assert stimulus.image is painted(seen)
    assert len({stimulus.key for stimulus in stimuli}) == 16


@pytest.mark.parametrize("kind", ["color", "counting", "relation_yn"])
def test_what_is_asked_never_shows_a_picture_of_another_split_or_seed(kind: Kind) -> None:
    seen = [
        recall(stimulus.key).scene
        for split in ("train", "select", "test")
        for seed in (0, 1)
        for stimulus in TableauSource(split).ask(kind, 10, seed)
    ]
    listed = [scene(split, index) for split in ("train", "select", "test") for index in range(200)]
    assert len(set(seen)) == len(seen)
    assert not set(seen) & set(listed)


def test_an_unknown_kind_is_refused_with_those_there_are() -> None:
    with pytest.raises(UserError, match="`context` is not a kind of question about pictures") as caught:
        TRAIN.ask("context", 4, 0)
    assert "polling" in caught.value.hint
    assert "context" not in TRAIN.kinds


def test_fingerprints_tell_collections_apart() -> None:
    sizes = [TableauSource("train", 20), TableauSource("train", 21), TableauSource("select", 20)]
    assert len({source.fingerprint for source in sizes}) == 3
    assert TableauSource("train", 20).fingerprint == sizes[0].fingerprint


def test_keys_are_read_back() -> None:
    key = Key("train/17").then(Step("remove", "red star", 2)).then(Step("edit", "make the circle blue", 0))
    assert str(key) == "train/17|remove red star #2|edit make the circle blue #0"
    assert str(key.asked()) == "train/17?|remove red star #2|edit make the circle blue #0"
    assert str(key.asked("Is there a star ?")).startswith("train/17?is there a star|remove")
    for written in (key, key.asked(), key.asked("is there a star ?")):
        assert read_key(str(written)) == written
        assert written.bare == key
        assert written.chance().random() == key.chance().random()
    assert plain_words(' A "Red"  star, please? #3|x') == "a red star , please 3 x"


@pytest.mark.parametrize(
    "key",
    [
        "photos/3fa9",
        "train/x",
        "train/17|",
        "train/17|burn it #1",
        "train/color-4-0/4",
        "train/smell-4-0/1",
        "",
    ],
)
def test_a_foreign_key_is_refused(key: str) -> None:
    with pytest.raises(UserError, match="is not the key of a painted picture"):
        recall(key)
