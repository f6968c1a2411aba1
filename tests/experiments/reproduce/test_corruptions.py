"""Corrupted items: one thing changes, the words are as many, and the right answer is another one."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.reproduce.corruptions import image_pair
from experiments.reproduce.edits import EDITED, KINDS_OF
from experiments.tableau.editor import ExactEditor
from experiments.tableau.parse import parse
from experiments.tableau.questions import answer
from experiments.tableau.recall import recall
from experiments.tableau.replacement import token_replacement
from experiments.tableau.scene import Scene
from experiments.tableau.source import TableauSource
from tools.methods.corruptions import noisy
from tools.stimuli import Stimulus

SOURCE, EDITOR = TableauSource("train", 40), ExactEditor("train")


def asked(kind: str, n: int = 12) -> list[Stimulus]:
    return SOURCE.ask(kind, n, 5)


def fields_changed(before: Scene, after: Scene) -> int:
    """How many things, or the background, differ."""
    gone = [thing for thing in before.things if thing not in after.things]
    come = [thing for thing in after.things if thing not in before.things]
    return max(len(gone), len(come)) + (before.background != after.background)


@pytest.mark.parametrize("kind", EDITED)
def test_an_edited_picture_differs_in_one_thing_and_has_another_right_answer(kind: str) -> None:
    random, made = np.random.default_rng(3), 0
    for stimulus in asked(kind):
        edited = image_pair(stimulus, EDITOR, random)
        if edited is None:
            continue
        made += 1
        before, after, question = (
            recall(stimulus.key).scene,
            recall(edited.key).scene,
            parse(stimulus.question),
        )
        assert question is not None and answer(question, after) == edited.answer != stimulus.answer
        assert edited.question == stimulus.question and fields_changed(before, after) == 1
    assert made >= 4


def test_pixels_outside_the_changed_thing_stay_as_they_are() -> None:
    random = np.random.default_rng(3)
    for stimulus in asked("color"):
        edited = image_pair(stimulus, EDITOR, random)
        assert edited is not None
        differs = (np.asarray(stimulus.image) != np.asarray(edited.image)).any(axis=-1)
        rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
        assert max(np.ptp(rows), np.ptp(columns)) < 60 and 0 < differs.mean() < 0.2


@pytest.mark.parametrize("kind", ["color", "shape", "polling", "relation", "relation_yn", "compare"])
def test_a_replaced_word_keeps_the_picture_and_the_length_and_turns_the_answer(kind: str) -> None:
    random, made = np.random.default_rng(3), 0
    for stimulus in asked(kind):
        other = token_replacement(stimulus, lambda text: len(text.split()), random)
        if other is None:
            continue
        made += 1
        words = list(zip(stimulus.question.split(), other.question.split(), strict=True))
        assert sum(one != two for one, two in words) == 1 and other.image is stimulus.image
        question = parse(other.question)
        assert question is not None and answer(question, recall(stimulus.key).scene) == other.answer
        assert other.answer != stimulus.answer
    assert made >= 2


def test_a_question_that_names_nothing_has_no_word_to_replace() -> None:
    random = np.random.default_rng(3)
    assert all(token_replacement(one, lambda text: 1, random) is None for one in asked("background"))


def test_noise_has_the_strength_that_was_asked_for_and_is_the_same_again() -> None:
    gray = Stimulus("made", SOURCE.picture(0).image.convert("L").point(lambda _: 128).convert("RGB"))
    difference = np.asarray(noisy(gray, 0.1, 3).image, dtype=float) - 128
    assert difference.std() == pytest.approx(25.5, rel=0.03) and abs(difference.mean()) < 1
    assert noisy(gray, 0.1, 3).sha256 == noisy(gray, 0.1, 3).sha256 != noisy(gray, 0.1, 4).sha256


def test_an_editor_that_answers_otherwise_than_the_instruction_promises_is_not_believed() -> None:
    class Stubborn(ExactEditor):
        def edit(self, stimulus: Stimulus, instruction: str, seed: int, /) -> Stimulus:
            return stimulus

    random = np.random.default_rng(3)
    assert image_pair(asked("color")[0], Stubborn("train"), random) is None


def test_every_level_of_edits_has_two_kinds_of_its_own() -> None:
    kinds = [kind for own in KINDS_OF.values() for kind in own]
    assert all(len(own) >= 2 for own in KINDS_OF.values()) and len(set(kinds)) == len(kinds)
