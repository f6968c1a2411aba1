"""The exact editor as tools meet it: keys, words, refusals, and a scene graph that judges what it made."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.tableau.concepts import read_concept
from experiments.tableau.editor import ExactEditor
from experiments.tableau.parse import parse
from experiments.tableau.questions import answer
from experiments.tableau.recall import recall
from experiments.tableau.scene_judge import SceneJudge
from experiments.tableau.source import TableauSource
from store.errors import UserError
from tools.judging import ConceptJudge, StimulusJudge, judge_matrix
from tools.stimuli import Change, ImageEditor, Inquirer, Stimulus

TRAIN = TableauSource("train")
EDITOR = ExactEditor()
JUDGE = SceneJudge()


def with_a(phrase: str, things: int = 3) -> Stimulus:
    """The first picture with exactly one such thing and so many things in all."""
    for number in range(400):
        seen = recall(f"train/{number}").scene.things
        if len(seen) == things and sum(map(read_concept(phrase).matches, seen)) == 1:
            return TRAIN.picture(number)
    raise AssertionError(f"no {phrase}")


def test_it_is_an_image_editor() -> None:
    editor: ImageEditor = EDITOR
    assert editor.name == "exact"
    assert isinstance(editor, Inquirer)


def test_instructions_give_pictures_under_keys_that_tell_what_was_done() -> None:
    stimulus = with_a("star")
    edited = EDITOR.edit(stimulus, "Remove the STAR.", 4)
    assert edited.key == f"{stimulus.key}|edit remove the star #4"
    assert judge_matrix(JUDGE, [stimulus, edited], ["star"])[:, 0].tolist() == [1, 0]
    further = EDITOR.edit(edited, "put it on a textured background", 1)
    assert further.key == f"{edited.key}|edit put it on a textured background #1"
    assert judge_matrix(JUDGE, [further], ["star", "textured background"]).tolist() == [[0, 1]]
    assert recall(further.key).scene.background in ("checkered", "wavy")


def test_a_question_goes_along_while_it_has_an_answer() -> None:
    stimulus = EDITOR.ask(with_a("red star"), "what color is the star ?")
    assert (stimulus.answer, stimulus.kind) == ("red", "color")
    assert stimulus.key.endswith("?what color is the star")
    blue = EDITOR.edit(stimulus, "make the star blue", 0)
    assert (blue.question, blue.answer) == (stimulus.question, "blue")
    assert blue.key == f"{stimulus.key}|edit make the star blue #0"
    two = EDITOR.edit(blue, "add a small green star", 0)
    assert (two.question, two.answer, two.kind) == ("", "", "")
    assert "?" not in two.key


def test_pairs_of_a_question_differ_in_its_answer_when_it_asks_for_the_swapped_word() -> None:
    stimulus = EDITOR.ask(with_a("red star"), "is there a red star ?")
    pair = EDITOR.pair(stimulus, "red star", "swap", 0)
    assert pair is not None
    assert (pair.without.answer, pair.with_.answer) == ("no", "yes")
    assert "instead of" in pair.changed
    assert pair.changed.endswith(f"in {stimulus.key}")


@pytest.mark.parametrize("change", ["add", "remove", "swap"])
@pytest.mark.parametrize(
    "phrase", ["red star", "warm thing", "striped circle", "small thing", "dark background"]
)
def test_a_pair_can_be_asked_what_tells_its_sides_apart(phrase: str, change: Change) -> None:
    kinds = set()
    for number in range(60):
        pair = EDITOR.pair(TRAIN.asked(number), phrase, change, 0)
        if pair is None:
            continue
        asked = EDITOR.telling(pair, number)
        assert asked.without.question == asked.with_.question
        assert asked.without.answer != asked.with_.answer
        assert asked.without.kind == asked.with_.kind
        kinds.add(asked.with_.kind)
        for side, before in ((asked.without, pair.without), (asked.with_, pair.with_)):
            question = parse(side.question)
            assert question is not None
            assert answer(question, recall(side.key).scene) == side.answer
            assert side.image is before.image
            assert side.key not in (before.key, TRAIN.picture(number).key)
    if phrase.endswith("background"):
        assert kinds == {"background"}
    elif change == "swap":
        assert kinds & {"color", "size", "shape", "fill"}
    else:
        assert kinds == {"polling"}


def test_prompts_give_pictures_that_descend_from_none() -> None:
    made = EDITOR.generate("A red star and two circles on a dark background", 7)
    assert made.key == "made|paint a red star and two circles on a dark background #7"
    assert judge_matrix(JUDGE, [made], ["red star", "circle", "dark background", "ring"]).tolist() == [
        [1, 1, 1, 0]
    ]
    again = EDITOR.generate("a red star and two circles on a dark background", 7)
    assert again.sha256 == made.sha256
    assert EDITOR.generate("a red star and two circles on a dark background", 8).sha256 != made.sha256
    pair = EDITOR.pair(made, "red star", "remove", 0)
    assert pair is not None
    assert pair.with_.key == made.key


def test_held_out_pairs_are_painted_only_where_they_are_asked_for() -> None:
    assert judge_matrix(JUDGE, [EDITOR.generate("a green circle", 0)], ["green circle"])[0, 0] == 1
    made = [EDITOR.generate("a circle", seed) for seed in range(40)]
    assert judge_matrix(JUDGE, made, ["green circle"]).max() == 0


def test_the_editor_keeps_to_its_split() -> None:
    sealed = TableauSource("test").picture(3)
    for refused in (
        lambda: EDITOR.pair(sealed, "star", "add", 0),
        lambda: EDITOR.edit(sealed, "remove everything", 0),
        lambda: EDITOR.ask(sealed, "what is the background ?"),
    ):
        with pytest.raises(UserError, match="`test/3` is not a picture of `train`"):
            refused()
    assert ExactEditor("test").edit(sealed, "remove everything", 0).key == "test/3|edit remove everything #0"


def test_what_cannot_be_done_is_refused() -> None:
    stimulus = TRAIN.picture(0)
    with pytest.raises(UserError, match="`elephant` in `red elephant` is not a known word"):
        EDITOR.pair(stimulus, "red elephant", "add", 0)
    with pytest.raises(UserError, match="is not an instruction that is understood"):
        EDITOR.edit(stimulus, "do something", 0)
    with pytest.raises(UserError, match="asks for nothing"):
        EDITOR.generate("", 0)
    with pytest.raises(UserError, match="has no single right answer here"):
        EDITOR.ask(stimulus, "why ?")
    with pytest.raises(UserError, match="is not the key of a painted picture"):
        EDITOR.pair(Stimulus("photos/3f", stimulus.image), "star", "add", 0)


def test_a_region_covers_what_was_taken_away() -> None:
    stimulus = with_a("large star")
    pair = EDITOR.pair(stimulus, "large star", "remove", 0)
    assert pair is not None
    assert pair.region is not None
    assert pair.region.shape == (112, 112)
    assert 0.04 < pair.region.mean() < 0.09
    assert not np.shares_memory(pair.region, np.asarray(stimulus.image))


def test_the_scene_graph_is_a_judge_of_stimuli_alone() -> None:
    judge: ConceptJudge = JUDGE
    assert isinstance(judge, StimulusJudge)
    stimuli = [TRAIN.picture(number) for number in range(20)]
    matrix = judge_matrix(judge, stimuli, ["star", "a crimson disc", "warm thing", "dark background"])
    assert matrix.shape == (20, 4)
    assert set(np.unique(matrix)) == {0, 1}
    assert matrix[:, 3].tolist() == [recall(one.key).scene.background == "dark" for one in stimuli]
    with pytest.raises(UserError, match="judges stimuli, not `pictures` alone"):
        judge.present([stimuli[0].image], ["star"])
    with pytest.raises(UserError, match="is not a known word"):
        judge_matrix(judge, stimuli, ["elephant"])
