"""What can't be an edit is told apart from what can, in a sentence."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.tools.editing.pipelines import noise, pixels
from tools.editing.backend import Failed, Made, Outcome
from tools.editing.faults import blank, brought_back, from_values, taken_in, unchanged


def why(outcome: Image.Image | Outcome | None) -> str:
    assert isinstance(outcome, Failed), outcome
    return f"{outcome.kind}: {outcome.why}"


def test_transparent_pixels_are_white() -> None:
    taken = taken_in(Image.new("RGBA", (20, 20), (255, 0, 0, 0)))
    assert isinstance(taken, Image.Image)
    assert (taken.mode, taken.getpixel((0, 0))) == ("RGB", (255, 255, 255))


def test_the_given_picture_is_not_changed_by_being_taken_in() -> None:
    given = noise((20, 20))[0]
    before = given.tobytes()
    taken = taken_in(given)
    assert isinstance(taken, Image.Image)
    taken.putpixel((0, 0), (1, 2, 3))
    assert given.tobytes() == before


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_values_that_are_no_numbers_are_never_shown_as_black(bad: float) -> None:
    values = np.full((10, 10, 3), 0.5, dtype=np.float32)
    values[0, :5, 1] = bad
    assert why(from_values(values)).startswith(
        "nan: the model computed values that are no numbers in 5.0% of"
    )


def test_values_become_grey_levels_by_rounding() -> None:
    image = from_values(np.array([[[0.0, 0.5, 1.2]]], dtype=np.float32))
    assert isinstance(image, Image.Image)
    assert image.getpixel((0, 0)) == (0, 128, 255)


def test_an_answer_of_another_size_is_scaled_and_says_so() -> None:
    outcome = brought_back(noise((128, 96))[0], (64, 48))
    assert isinstance(outcome, Made)
    assert outcome.image.size == (64, 48)
    assert outcome.notes == ("came back at 128×96 pixels and was scaled to 64×48",)


def test_an_answer_of_the_right_size_is_left_as_it_is() -> None:
    answer = noise((64, 48))[0]
    outcome = brought_back(answer, (64, 48))
    assert isinstance(outcome, Made)
    assert outcome.image is answer
    assert outcome.notes == ()


def test_an_answer_of_another_shape_is_refused() -> None:
    assert (
        why(brought_back(noise((64, 64))[0], (64, 48)))
        == "shape: a picture of 64×64 pixels came back for one of 64×48: another shape"
    )


@pytest.mark.parametrize("black", [(0, 0, 0), (2, 1, 0)])
def test_a_black_picture_is_told_as_what_safety_filters_leave(black: tuple[int, int, int]) -> None:
    assert why(blank(Image.new("RGB", (30, 30), black))).endswith(
        "black all over, as safety filters leave it"
    )


def test_a_picture_of_one_color_is_refused_even_after_compression() -> None:
    flat = pixels(Image.new("RGB", (30, 30), (200, 10, 10)))
    flat[::2, ::2] += 2
    assert why(blank(Image.fromarray(flat.astype(np.uint8)))).endswith("one color all over (#c80a0a)")


def test_a_dark_picture_with_something_in_it_is_a_picture() -> None:
    night = Image.new("RGB", (30, 30))
    night.putpixel((3, 3), (40, 40, 40))
    assert blank(night) is None


def test_a_picture_that_comes_back_as_it_was_is_no_edit() -> None:
    given = noise((30, 30))[0]
    assert why(unchanged(given.copy(), given)).startswith("unchanged: the picture came back as it was given")


def test_one_pixel_makes_a_difference() -> None:
    given = Image.new("RGB", (30, 30), "white")
    answer = given.copy()
    answer.putpixel((3, 3), (200, 255, 255))
    assert unchanged(answer, given) is None
