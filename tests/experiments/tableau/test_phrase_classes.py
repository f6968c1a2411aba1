"""Every phrase that a null searches has a class, and the judges know it."""

from __future__ import annotations

import pytest

from experiments.scoring.judged import Judged
from experiments.tableau.phrase_classes import phrase_class, searched_phrases
from experiments.tableau.scene_judge import SceneJudge
from experiments.tableau.source import TableauSource
from store.errors import UserError


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("red", "color"),
        ("a crimson thing", "color"),
        ("red star", "color shape"),
        ("star", "shape"),
        ("large striped thing", "size fill"),
        ("dark background", "background"),
        ("thing", "thing"),
        ("question asks color", "kind"),
        ("the answer is red", "answer"),
        ("question names star", "asked"),
    ],
)
def test_a_class_says_what_a_phrase_speaks_of(phrase: str, expected: str) -> None:
    assert phrase_class(phrase) == expected


def test_words_outside_the_language_have_no_class() -> None:
    with pytest.raises(UserError, match="zebra"):
        phrase_class("zebra")


def test_the_scorers_judge_knows_every_searched_phrase() -> None:
    phrases = searched_phrases()
    judged = Judged(SceneJudge(), TableauSource("test", 24), name="scene graph")
    assert len(set(phrases)) == len(phrases)
    assert all(judged.knows(phrase) for phrase in phrases)
    assert all(phrase_class(phrase) for phrase in phrases)
