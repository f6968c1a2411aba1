"""What a null searches is what the scorer's judge understands."""

from __future__ import annotations

from itertools import pairwise

from experiments.scoring.judged import Judged
from experiments.tableau.scene_judge import SceneJudge
from experiments.tableau.searched import searched_phrases
from experiments.tableau.source import TableauSource
from tools.scoring.agreement import agreement
from tools.scoring.plain import describe


def test_the_scorers_judge_knows_every_searched_phrase() -> None:
    phrases = searched_phrases()
    judged = Judged(SceneJudge(), TableauSource("test", 24), name="scene graph")
    assert len(set(phrases)) == len(phrases)
    assert all(judged.knows(phrase) for phrase in phrases)


def test_phrases_of_one_and_two_words_and_about_questions_are_searched() -> None:
    assert {
        *("red thing", "red star", "small striped thing", "dark background"),
        *("question asks for relation yn", "question names moon", "answer is two"),
    } <= set(searched_phrases())


def test_questions_asked_for_a_kind_are_found_under_its_phrase() -> None:
    source = TableauSource("test", 24)
    judged = Judged(SceneJudge(), source, name="scene graph")
    expected = [source.asked(index).kind == "relation_yn" for index in range(24)]
    assert (judged.column("question asks for relation yn") == expected).all() and any(expected)


def test_what_is_said_of_any_phrases_agrees_with_them() -> None:
    found = searched_phrases()
    concepts = [*found, *(f"!{phrase}" for phrase in found)]
    for one, other in pairwise(found[::3]):
        concepts += [f"{one} | {other}", f"{one} & !{other}", f"0.7 {other} + 0.3 {one}"]
    for concept in concepts:
        told = f"It is more active where {describe(concept)} is to be found, by {{e1.effect}} [e1]."
        assert agreement(told, concept, found[::7]).holds, told
