"""Every question has one right answer, and reading the words against the scene by hand gives the same one."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from experiments.tableau.asker import Asker
from experiments.tableau.phrases import Phrase
from experiments.tableau.questions import (
    ANSWERS,
    KINDS,
    NUMBERS,
    TEMPLATES,
    Fact,
    Kind,
    Question,
    Relation,
    Unanswerable,
    answer,
)
from experiments.tableau.sampler import sample
from experiments.tableau.scene import COLORS, FILLS, SHAPES, SIZES, Scene, Sign, Thing

WORDS = {*SHAPES, *COLORS, *FILLS, *SIZES}
SINGULAR = {"crosses": "cross"} | {f"{shape}s": shape for shape in SHAPES}
SPLIT = re.compile(" (left of|right of|above|below) ")
FURTHER = {"left": ("x", -1), "right": ("x", 1), "up": ("y", -1), "down": ("y", 1)}
BEYOND = {"left of": ("x", -1), "right of": ("x", 1), "above": ("y", -1), "below": ("y", 1)}

STAR = Thing("star", "red", "solid", "large", 30, 30)
RING = Thing("ring", "blue", "striped", "small", 80, 60)
MOON = Thing("moon", "red", "dotted", "small", 84, 20)
SCENE = Scene("gray", (STAR, RING))


def named(words: str, scene: Scene) -> list[Thing]:
    """The things that all attribute words in `words` are true of, singular or plural."""
    said = {SINGULAR.get(word, word) for word in words.split()} & WORDS
    return [thing for thing in scene.things if said <= {thing.shape, thing.color, thing.fill, thing.size}]


def only(words: str, scene: Scene) -> Thing:
    [thing] = named(words, scene)
    return thing


def by_hand(kind: Kind, text: str, scene: Scene) -> str:
    """The right answer, read off the words and the scene without the grammar."""
    if kind in ("polling", "counting"):
        fitting = len(named(text, scene))
        return NUMBERS[fitting] if kind == "counting" else "yes" if fitting else "no"
    if kind == "background":
        return scene.background
    if kind == "sign":
        return scene.sign.word if scene.sign else "nothing"
    if kind == "context":
        *facts, asked = text.split(" . ")
        [shape] = {shape for shape in SHAPES if shape in asked.split()}
        return next(fact.split()[-1] for fact in facts if f" {shape} " in fact)
    if kind == "compare":
        side, one, other = re.fullmatch(r"which is further (\w+) , the (.*) or the (.*) \?", text).groups()  # type: ignore[union-attr]
        axis, sign = FURTHER[side]
        return max(
            (only(one, scene), only(other, scene)), key=lambda thing: sign * getattr(thing, axis)
        ).shape
    if kind in ("relation", "relation_yn", "two_hop"):
        before, relation, after = SPLIT.split(text)
        axis, sign = BEYOND[relation]
        anchor = only(after, scene)
        beyond = [
            thing for thing in scene.things if sign * getattr(thing, axis) > sign * getattr(anchor, axis)
        ]
        if kind == "relation_yn":
            return "yes" if only(before, scene) in beyond else "no"
        assert len(beyond) < 2
        return getattr(beyond[0], "shape" if kind == "relation" else "color") if beyond else "nothing"
    return str(getattr(only(text, scene), kind))


@pytest.mark.parametrize("kind", KINDS)
def test_the_answer_is_the_one_that_reading_by_hand_gives(kind: Kind) -> None:
    rng = np.random.default_rng(1)
    asked = 0
    for seed in range(120):
        scene = sample(seed, "regular" if seed % 2 else "balanced")
        question = Asker(scene, rng).draw(kind)
        if question is not None:
            for wording in range(len(TEMPLATES[kind])):
                assert answer(question, scene) == by_hand(kind, question.text(wording), scene)
            asked += 1
    assert asked > 40


@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_among_those_of_the_kind_or_say_that_there_is_none(kind: Kind) -> None:
    rng = np.random.default_rng(2)
    for seed in range(40):
        for word in Asker(sample(seed), rng).choices(kind):
            assert word in (*ANSWERS[kind], "nothing")


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (Question("color", Phrase(color="red")), "the phrase fits 2 things, not one"),
        (Question("relation", Phrase(color="red"), "left of"), "the phrase fits 2 things, not one"),
        (Question("relation", Phrase(shape="star"), "right of"), "2 things are right of the star"),
        (
            Question("relation", Phrase(shape="ring"), "left of"),
            "the two things are level: 4.0 px is less than 8.0 px",
        ),
        (
            Question("relation_yn", Phrase(shape="ring"), "left of", Phrase(shape="moon")),
            "the two things are level: 4.0 px is less than 8.0 px",
        ),
        (
            Question("compare", Phrase(shape="ring"), "left of", Phrase(color="blue")),
            "both phrases name the same thing",
        ),
        (
            Question("context", Phrase(shape="moon"), facts=(Fact("star", "red"),)),
            "the facts do not settle the color of the moon",
        ),
        (
            Question("context", Phrase(shape="star"), facts=(Fact("star", "red"), Fact("star", "blue"))),
            "the facts do not settle the color of the star",
        ),
    ],
)
def test_what_has_no_single_answer_is_refused_with_the_reason(question: Question, reason: str) -> None:
    with pytest.raises(Unanswerable) as refused:
        answer(question, replace(SCENE, things=(STAR, RING, MOON)))
    assert str(refused.value) == reason


def test_five_things_are_more_than_the_language_can_count() -> None:
    crowd = replace(SCENE, things=tuple(replace(RING, x=float(x)) for x in range(10, 110, 20)))
    with pytest.raises(Unanswerable, match=re.escape("5 is more than the language can count to (four)")):
        answer(Question("counting"), crowd)


def test_what_is_not_there_is_none_or_nothing() -> None:
    assert answer(Question("fill", Phrase(shape="heart")), SCENE) == "none"
    assert answer(Question("relation", Phrase(shape="star"), "left of"), SCENE) == "nothing"
    assert answer(Question("sign"), SCENE) == "nothing"
    assert answer(Question("sign"), replace(SCENE, sign=Sign("moon", 60, 100))) == "moon"


@pytest.mark.parametrize(
    ("relation", "holding"), [("left of", "yes"), ("right of", "no"), ("above", "yes"), ("below", "no")]
)
def test_relations_read_pixels_to_the_right_and_downwards(relation: Relation, holding: str) -> None:
    question = Question("relation_yn", Phrase(shape="star"), relation, Phrase(shape="ring"))
    assert answer(question, SCENE) == holding


def test_wordings_are_taken_modulo_their_number() -> None:
    question = Question("polling", Phrase(color="orange", shape="moon"))
    assert question.text(0) == question.text(3) == "is there an orange moon ?"
    assert question.text(2) == "does the picture show an orange moon ?"
