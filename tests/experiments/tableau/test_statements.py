"""What is said of whole scenes: counts, places and signs, and combinations of phrases over them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from jaxtyping import Float

from experiments.tableau.concepts import read_concept
from experiments.tableau.judge import Judge
from experiments.tableau.recall import recall
from experiments.tableau.render import render, to_image
from experiments.tableau.scene import Scene, Sign, Thing
from experiments.tableau.scene_judge import SceneJudge
from experiments.tableau.source import TableauSource
from experiments.tableau.statements import holds, read_statement
from store.errors import UserError
from tests.experiments.tableau.scenes import scenes
from tests.experiments.tableau.test_judge import reading_of
from tools.judging import judge_matrix
from tools.scoring.concept import concept_values, phrases

STAR = Thing("star", "red", "solid", "large", 30, 30)
OTHER_STAR = Thing("star", "blue", "striped", "small", 85, 85)
MOON = Thing("moon", "blue", "solid", "small", 85, 34)
CIRCLE = Thing("circle", "red", "dotted", "large", 30, 85)
BLUE_CIRCLE = Thing("circle", "blue", "solid", "small", 85, 85)
STAR_AND_MOON = Scene("gray", (STAR, MOON), Sign("red", 60, 100))
TWO_STARS = Scene("dark", (STAR, OTHER_STAR))
ALONE = Scene("wavy", (MOON,))
NOTHING = Scene("light")


@pytest.mark.parametrize(
    ("said", "scene", "true"),
    [
        ("two stars", TWO_STARS, True),
        ("two stars", STAR_AND_MOON, False),
        ("2 stars", TWO_STARS, True),
        ("one star", TWO_STARS, False),
        ("exactly one star", STAR_AND_MOON, True),
        ("at least two stars", TWO_STARS, True),
        ("at least two things", STAR_AND_MOON, True),
        ("at least two warm things", STAR_AND_MOON, False),
        ("at most one star", TWO_STARS, False),
        ("at most one star", NOTHING, True),
        ("more than one star", TWO_STARS, True),
        ("fewer than two stars", STAR_AND_MOON, True),
        ("zero moons", TWO_STARS, True),
        ("a star left of a moon", STAR_AND_MOON, True),
        ("a star to the left of a moon", STAR_AND_MOON, True),
        ("the moon that lies right of the star", STAR_AND_MOON, True),
        ("a moon left of a star", STAR_AND_MOON, False),
        ("a star above a star", TWO_STARS, True),
        ("a red star below a star", TWO_STARS, False),
        ("a moon left of a moon", ALONE, False),
        ("the sign says red", STAR_AND_MOON, True),
        ("sign says the word “star”", STAR_AND_MOON, False),
        ("the sign says red", TWO_STARS, False),
        ("a sign", STAR_AND_MOON, True),
        ("a sign", TWO_STARS, False),
        ("stars", STAR_AND_MOON, True),
        ("dark background", TWO_STARS, True),
    ],
)
def test_statements_are_true_of_the_scenes_that_they_describe(said: str, scene: Scene, true: bool) -> None:
    assert holds(read_statement(said), scene) == true
    assert holds(read_statement(said.upper()), scene) == true


def test_things_that_are_level_lie_in_no_relation() -> None:
    assert abs(STAR.y - MOON.y) < 8
    for relation in ("above", "below"):
        assert not holds(read_statement(f"a star {relation} a moon"), STAR_AND_MOON)


@given(scenes)
def test_counts_agree_with_each_other_and_with_the_scene(scene: Scene) -> None:
    def count(said: str) -> bool:
        return holds(read_statement(said), scene)

    red = sum(thing.color == "red" for thing in scene.things)
    assert [count(f"{number} red things") for number in range(6)] == [red == number for number in range(6)]
    assert (
        count("at least one red thing")
        == holds(read_concept("red thing"), scene)
        == (not count("zero red things"))
    )
    assert (
        count("at least two red things")
        == count("more than one red thing")
        == (not count("at most one red thing"))
    )


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("two elephants", "`elephants`"),
        ("two dark backgrounds", "counts or places a background"),
        ("a star left of a dark background", "counts or places a background"),
        ("the sign says stop", "`stop` in `the sign says stop` stands on no sign"),
        ("several stars", "`several`"),
    ],
)
def test_what_is_not_understood_is_refused(said: str, told: str) -> None:
    with pytest.raises(UserError) as refusal:
        read_statement(said)
    assert refusal.value.kind == "unknown_phrase" and told in refusal.value.message


def values(concept: str, *seen: Scene) -> list[float]:
    def column(words: str) -> Float[np.ndarray, "scene"]:
        return np.array([holds(read_statement(words), scene) for scene in seen], dtype=np.float64)

    return concept_values(concept, column).tolist()


def test_brackets_bind_to_one_thing_and_an_and_does_not() -> None:
    bound, unbound = Scene("gray", (CIRCLE, MOON)), Scene("gray", (STAR, BLUE_CIRCLE))
    assert values("[red circle]", bound, unbound) == values("red circle", bound, unbound) == [1, 0]
    assert values("red & circle", bound, unbound) == [1, 1]
    assert values("red & circle & ![red circle]", bound, unbound) == [0, 1]


def test_exactly_one_of_two_and_counts_are_exact_for_the_scene_graph() -> None:
    seen = (STAR_AND_MOON, TWO_STARS, ALONE, NOTHING)
    assert values("(star & !moon) | (moon & !star)", *seen) == [0, 1, 1, 0]
    assert values("at least two stars | the sign says red", *seen) == [1, 1, 0, 0]
    assert values("0.7 star + 0.3 moon", *seen) == pytest.approx([1, 0.7, 0.3, 0])


def test_the_scene_graph_judges_statements_and_words_of_one_stimulus_alike() -> None:
    source = TableauSource("train")
    stimuli = [source.asked(number) for number in range(60)]
    concept = "(at least two things & !a star left of a thing) | question asks for color | the sign says red"
    words = phrases(concept)
    judged = judge_matrix(SceneJudge(), stimuli, words)
    found = concept_values(concept, lambda phrase: judged[:, words.index(phrase)])
    expected = []
    for stimulus in stimuli:
        scene = recall(stimulus.key).scene
        left = any(
            one.shape == "star" and other.x - one.x >= 8 for one in scene.things for other in scene.things
        )
        red = scene.sign is not None and scene.sign.word == "red"
        expected.append((len(scene.things) >= 2 and not left) or stimulus.kind == "color" or red)
    assert found.tolist() == expected
    assert 0 < sum(expected) < len(expected)


def test_the_planners_judge_binds_too_and_refuses_what_it_can_not_see() -> None:
    torch.manual_seed(0)
    judge = Judge().eval()
    reading = reading_of(
        (0.9, "large", "solid", "red", "star"), (0.8, "small", "solid", "blue", "circle"), background="gray"
    )

    def column(words: str) -> Float[np.ndarray, "picture"]:
        return judge.presence(reading, [words])[:, 0].numpy().astype(np.float64)

    assert concept_values("[red circle]", column) == pytest.approx([0])
    assert concept_values("red & circle", column) == pytest.approx([0.9 * 0.8])
    picture = to_image(render(STAR_AND_MOON))
    for said in ("two stars", "at least two stars", "a star left of a moon", "the sign says red"):
        with pytest.raises(UserError) as refusal:
            judge.present([picture], [said])
        assert refusal.value.kind == "unknown_phrase"
