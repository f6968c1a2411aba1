"""The describer: what a reading becomes in words, and that the trained one is mostly right."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from experiments.registry import open_judge
from experiments.tableau.concepts import holds, read_concept
from experiments.tableau.describer import MOST_WORDS, JudgeDescriber
from experiments.tableau.judge import Judge
from experiments.tableau.phrases import ATTRIBUTES
from experiments.tableau.recall import recall
from experiments.tableau.source import TableauSource
from store.errors import UserError
from tools.scoring.narrowing import PLACES
from tools.stimuli import Describer


@pytest.fixture(scope="module")
def trained(committed_weights: Path) -> JudgeDescriber:
    return JudgeDescriber(open_judge())


def test_it_is_a_describer_with_simple_phrases() -> None:
    describer: Describer = JudgeDescriber(Judge().eval())
    words = describer.vocabulary()
    assert len(words) == len(set(words)) == 26
    assert {"red thing", "star", "striped thing", "large thing", "dark background"} <= set(words)
    for word in words:
        read_concept(word)


def test_pictures_of_different_sizes_keep_their_order(trained: JudgeDescriber) -> None:
    pictures = [TableauSource("train").picture(number).image for number in range(3)]
    mixed = [pictures[0], pictures[1].crop((0, 0, 40, 60)), pictures[2], pictures[1]]
    assert trained.describe(mixed) == [trained.describe([one])[0] for one in mixed]
    assert trained.describe([]) == []
    with pytest.raises(UserError, match="`15×40` pixels is too small to judge"):
        trained.describe([Image.new("RGB", (15, 40))])


def test_single_words_come_before_pairs(trained: JudgeDescriber) -> None:
    source = TableauSource("train")
    number = next(number for number in range(100) if len(recall(f"train/{number}").scene.things) == 1)
    (told,) = trained.describe([source.picture(number).image])
    assert told[0].endswith("background")
    lengths = [len([word for word in phrase.split() if word != "thing"]) for phrase in told[1:]]
    assert lengths == sorted(lengths)
    assert lengths.count(1) == len(ATTRIBUTES)
    assert lengths.count(2) == len(list(combinations(ATTRIBUTES, MOST_WORDS)))


def test_most_phrases_are_true_and_most_truths_are_said(trained: JudgeDescriber) -> None:
    stimuli = [TableauSource("select").picture(number) for number in range(60)]
    told = trained.describe([stimulus.image for stimulus in stimuli])
    scenes = [recall(stimulus.key).scene for stimulus in stimuli]
    true = [
        holds(read_concept(phrase), seen)
        for phrases, seen in zip(told, scenes, strict=True)
        for phrase in phrases
    ]
    said = [
        word in phrases
        for phrases, seen in zip(told, scenes, strict=True)
        for word in trained.vocabulary()
        if holds(read_concept(word), seen)
    ]
    assert np.mean(true) > 0.97
    assert np.mean(said) > 0.97


def test_an_unsure_judge_says_little() -> None:
    torch.manual_seed(0)
    (told,) = JudgeDescriber(Judge().eval()).describe([Image.new("RGB", (32, 32))])
    assert told == ()


def test_places_are_those_of_the_things_in_the_scene(trained: JudgeDescriber) -> None:
    stimuli = [TableauSource("select").picture(number) for number in range(60)]
    told = trained.placed([stimulus.image for stimulus in stimuli])
    said = [
        (phrase, recall(stimulus.key).scene)
        for stimulus, one in zip(stimuli, told, strict=True)
        for phrase in one
    ]
    true = [holds(read_concept(phrase), seen) for phrase, seen in said]
    assert len(true) > 300
    assert np.mean(true) > 0.97
    assert trained.placed([]) == []
    assert {f"thing in the {place}" for place in PLACES} <= {phrase for phrase, _ in said}


def test_the_judge_reads_places_as_the_scene_has_them(trained: JudgeDescriber) -> None:
    stimuli = [TableauSource("select").picture(number) for number in range(80)]
    phrases = ["solid thing in the upper left", "thing except in the lower right", "circle except dotted"]
    judged = trained.judge.present([stimulus.image for stimulus in stimuli], phrases) > 0.5
    truth = [
        [holds(read_concept(one), recall(stimulus.key).scene) for one in phrases] for stimulus in stimuli
    ]
    assert (judged == np.array(truth)).mean() > 0.97
