"""The judgement matrix: what is said of words is read, the rest goes to the judge that there is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from jaxtyping import Float32
from PIL import Image

from tools.judging import ConceptJudge, StimulusJudge, judge_matrix
from tools.stimuli import Stimulus

WHITE, BLACK = Image.new("RGB", (8, 8), "white"), Image.new("RGB", (8, 8), "black")
STIMULI = [
    Stimulus("a", WHITE, "what color is the star ?", "red", "color"),
    Stimulus("b", BLACK, "how many stars are there ?", "two", "counting"),
    Stimulus("c", WHITE),
]


class Brightness:
    """Judges every phrase by how bright the picture is."""

    def present(
        self, images: Sequence[Image.Image], phrases: Sequence[str], /
    ) -> Float32[np.ndarray, "image phrase"]:
        light = np.array([np.asarray(image).mean() / 255 for image in images], dtype=np.float32)
        return np.repeat(light[:, None], len(phrases), axis=1)


class ByKey(Brightness):
    """Knows the first stimulus."""

    def present_stimuli(
        self, stimuli: Sequence[Stimulus], phrases: Sequence[str], /
    ) -> Float32[np.ndarray, "stimulus phrase"]:
        known = np.array([stimulus.key == "a" for stimulus in stimuli], dtype=np.float32)
        return np.repeat(known[:, None], len(phrases), axis=1)


def test_a_judge_of_pictures_gets_the_pictures() -> None:
    assert judge_matrix(Brightness(), STIMULI, ["bright", "white"]).tolist() == [[1, 1], [0, 0], [1, 1]]


def test_a_judge_that_knows_stimuli_gets_those() -> None:
    judge: ConceptJudge = ByKey()
    assert isinstance(judge, StimulusJudge)
    assert not isinstance(Brightness(), StimulusJudge)
    assert judge_matrix(judge, STIMULI, ["anything"])[:, 0].tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("question asks color", [1, 0, 0]),
        ("the question asks for counting", [0, 1, 0]),
        ("question names star", [1, 1, 0]),
        ("question names red", [0, 0, 0]),
        ("answer is two", [0, 1, 0]),
        ("the answer is red", [1, 0, 0]),
    ],
)
def test_what_is_said_of_the_question_is_read_from_it(phrase: str, expected: list[int]) -> None:
    matrix = judge_matrix(Brightness(), STIMULI, ["bright", phrase])
    assert matrix[:, 0].tolist() == [1, 0, 1]
    assert matrix[:, 1].tolist() == expected


def test_empty_matrices_keep_their_shape() -> None:
    assert judge_matrix(Brightness(), STIMULI, []).shape == (3, 0)
    assert judge_matrix(ByKey(), [], ["bright", "answer is red"]).shape == (0, 2)
