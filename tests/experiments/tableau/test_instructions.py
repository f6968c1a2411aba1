"""Instructions and prompts: what is understood, what is done, and what each refusal says."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.tableau.captions import caption
from experiments.tableau.concepts import holds, read_concept
from experiments.tableau.data import scene
from experiments.tableau.instructions import EXAMPLES, follow
from experiments.tableau.layout import fits
from experiments.tableau.phrases import full
from experiments.tableau.prompt import painted_wish, read_prompt
from experiments.tableau.scene import Scene, Sign, Thing
from store.errors import UserError

STAR = Thing("star", "red", "solid", "large", 30, 30)
CIRCLE = Thing("circle", "blue", "striped", "small", 85, 30)
RING = Thing("ring", "green", "dotted", "small", 30, 85)
SEEN = Scene("gray", (STAR, CIRCLE, RING))


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def told(seen: Scene) -> list[str]:
    return [str(full(thing)) for thing in seen.things]


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("make the red star blue", "large solid blue star , small striped blue circle , small dotted green ring"),
        ("turn the red star blue", "large solid blue star , small striped blue circle , small dotted green ring"),
        ("Make the star spotted.", "large dotted red star , small striped blue circle , small dotted green ring"),
        ("turn the circle into a square", "large solid red star , small striped blue square , small dotted green ring"),
        ("change the ring to crimson", "large solid red star , small striped blue circle , small dotted red ring"),
        ("make all small things large", "large solid red star , large striped blue circle , large dotted green ring"),
        ("make the large star small", "small solid red star , small striped blue circle , small dotted green ring"),
        ("remove the circle", "large solid red star , small dotted green ring"),
        ("take away all round things", "large solid red star"),
        ("remove everything", ""),
    ],
)  # fmt: skip
def test_things_are_changed_or_removed(instruction: str, expected: str) -> None:
    made = follow(SEEN, instruction, rng())
    assert " , ".join(told(made.scene)) == expected
    assert made.scene.background == "gray"


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("put it on a dark background", {"dark"}),
        ("make the background light", {"light"}),
        ("change the background to textured", {"checkered", "wavy"}),
    ],
)
def test_the_background_is_changed_alone(instruction: str, expected: set[str]) -> None:
    grounds = {follow(SEEN, instruction, np.random.default_rng(seed)).scene.background for seed in range(12)}
    assert grounds == expected
    assert follow(SEEN, instruction, rng()).scene.things == SEEN.things


def test_things_are_added_where_there_is_room() -> None:
    made = follow(SEEN, "add a large red star", rng())
    assert made.scene.things[:3] == SEEN.things
    assert read_concept("large red star").matches(made.scene.things[3])
    assert fits(made.scene.things)
    beside = follow(SEEN, "add a small moon left of the circle", rng()).scene.things[3]
    assert (beside.shape, beside.size) == ("moon", "small")
    assert beside.x <= CIRCLE.x - 8


def test_what_is_added_to_a_quarter_stands_there() -> None:
    for seed in range(8):
        made = follow(SEEN, "add a small moon in the lower right", np.random.default_rng(seed))
        assert made.scene.things[-1].quarter == "lower right"


def test_things_are_moved() -> None:
    made = follow(SEEN, "move the star below the circle", rng())
    assert made.scene.things[0].y >= CIRCLE.y + 8
    assert made.scene.things[1:] == SEEN.things[1:]
    assert fits(made.scene.things)


def test_signs_come_and_go_and_change_their_word() -> None:
    up = follow(SEEN, "add a sign that says moon", rng()).scene
    assert up.sign is not None
    assert up.sign.word == "moon"
    again = follow(up, "make the sign say violet", rng()).scene
    assert again.sign == Sign("purple", up.sign.x, up.sign.y)
    assert follow(again, "remove the sign", rng()).scene.sign is None


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_that_a_hint_gives_is_understood(example: str) -> None:
    star, ring = (
        Thing("star", "red", "solid", "small", 25, 90),
        Thing("ring", "blue", "solid", "small", 90, 80),
    )
    seen = Scene("gray", (star, replace(CIRCLE, y=25), ring), Sign("red", 30, 15))
    assert follow(seen, example, rng()).scene != seen


@pytest.mark.parametrize(
    ("instruction", "message", "hint"),
    [
        ("paint me like one of your French girls", "is not a known word", ""),
        ("why", "`why` is not an instruction that is understood", "make the red star blue"),
        ("make the star red", "the `star` is red already", "does not have"),
        ("make the heart red", "there is no `heart` in the picture", "a large solid red star"),
        ("make the small thing red", "`small thing` fits 2 things", "all small thing"),
        ("make the star dark", "a thing can't be `dark`", "put it on a dark background"),
        ("make the star warm", "`warm` is not one word for a look", "make the red star blue"),
        ("make the background gray", "the background is `gray` already", "another"),
        ("remove the dark background", "`dark background` is said of a background", "red star"),
        ("add an elephant", "`elephant` in `elephant` is not a known word", ""),
        ("remove the sign", "there is no `sign`", "add a sign"),
        ("add a sign that says large", "a sign can't say `large`", "a color or a shape"),
        ("move the star left of the star", "are the same thing", "two"),
        ("move the star above the ring", "the `star` is above the ring already", "another"),
    ],
)
def test_refusals_say_what_to_do_instead(instruction: str, message: str, hint: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        follow(SEEN, instruction, rng())
    assert hint in caught.value.hint


def test_a_full_picture_takes_no_more() -> None:
    full_scene = follow(SEEN, "add a moon", rng()).scene
    with pytest.raises(UserError, match="shows `4` things, as many as it can"):
        follow(full_scene, "add a moon", rng())


def test_edits_that_would_overlap_are_refused_by_the_editor_itself() -> None:
    tight = Scene("gray", (STAR, Thing("circle", "blue", "solid", "small", 61, 30)))
    assert fits(tight.things)
    with pytest.raises(UserError, match="would overlap"):
        follow(tight, "make the circle large", rng())


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a red star and two circles on a dark background", ["red star", "circle", "circle"]),
        ("A picture of three big crosses, and a plain box", ["large cross"] * 3 + ["solid square"]),
        ("red star", ["red star"]),
        ("2 warm things with a sign that says blue", ["warm thing", "warm thing"]),
        ("nothing on a light background", []),
        ("a green circle", ["green circle"]),
    ],
)
def test_a_prompt_is_painted_as_it_says_with_nothing_beside(prompt: str, expected: list[str]) -> None:
    for seed in range(4):
        seen = painted_wish(read_prompt(prompt), np.random.default_rng(seed))
        assert len(seen.things) == len(expected)
        for thing, phrase in zip(seen.things, expected, strict=True):
            assert read_concept(phrase).matches(thing)
        assert fits(seen.things, seen.sign)
        if "background" in prompt:
            assert seen.background in prompt
        assert (seen.sign.word if seen.sign else None) == ("blue" if "sign" in prompt else None)


def test_a_background_alone_is_shown_behind_things() -> None:
    seen = [painted_wish(read_prompt("wavy background"), np.random.default_rng(seed)) for seed in range(8)]
    assert {one.background for one in seen} == {"wavy"}
    assert all(one.things for one in seen)
    assert holds(
        read_concept("textured background"), painted_wish(read_prompt("a textured background"), rng())
    )


@pytest.mark.parametrize("number", range(12))
def test_captions_are_prompts(number: int) -> None:
    seen = scene("train", number)
    made = painted_wish(read_prompt(caption(seen)), rng())
    assert Counter(map(full, made.things)) == Counter(map(full, seen.things))
    assert made.background == seen.background
    assert (made.sign.word if made.sign else None) == (seen.sign.word if seen.sign else None)


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("", "asks for nothing"),
        ("a red elephant", "`elephant` in `red elephant` is not a known word"),
        ("three stars and two circles", "asks for 5 things"),
        ("a star with a sign that says large", "a sign can't say `large`"),
        ("a star on a purple background", "mixes words"),
    ],
)
def test_prompts_that_are_not_understood_are_refused(prompt: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_prompt(prompt)


def test_all_changes_only_those_that_are_otherwise() -> None:
    made = follow(SEEN, "make all things small", rng())
    assert [thing.size for thing in made.scene.things] == ["small"] * 3
    assert made.touched == (STAR, replace(STAR, size="small"))
    with pytest.raises(UserError, match="is small already"):
        follow(made.scene, "make all things small", rng())


WORDS = (
    "make turn remove add move put paint the a all it on to into is star circles thing red dark small striped warm "
    "background sign that says left of above two three 4 and with , nothing everything elephant | #"
).split()
sentences = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)


@settings(max_examples=300)
@given(sentences)
def test_any_words_are_carried_out_or_refused_in_a_sentence(words: str) -> None:
    try:
        made = follow(SEEN, words, rng())
    except UserError as error:
        told = error
    else:
        assert made.scene != SEEN
        assert fits(made.scene.things, made.scene.sign)
        return
    assert told.hint
    assert "\n" not in told.message


@settings(max_examples=300)
@given(sentences)
def test_any_prompt_is_painted_or_refused_in_a_sentence(words: str) -> None:
    try:
        seen = painted_wish(read_prompt(words), rng())
    except UserError as error:
        told = error
    else:
        assert len(seen.things) <= 4
        assert fits(seen.things, seen.sign)
        return
    assert told.hint
    assert "\n" not in told.message
