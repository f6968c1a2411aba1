"""`describe` finds the words that tell what excites a component apart, without being told anything."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.tools.methods.conftest import Caller
from tools.methods.crops import crops
from tools.methods.describe import _ranked

BOXES = np.array([[x, y, x + 14, y + 14] for y in (0, 14) for x in (0, 14)], dtype=np.float64)


def test_phrases_are_counted_in_both_piles_and_ranked(do: Caller) -> None:
    result = do("describe", component="language.0.mlp.3", n=16).result
    assert result["n"] > 0 and result["crops"] == result["n"]
    weights = [told["z_pictures"] + max(told["z_crops"], 0) for told in result["phrases"]]
    assert weights == sorted(weights, reverse=True)
    assert {told["phrase"] for told in result["phrases"]} <= {"red", "blue", "square"}
    assert "color" in {told["phrase"] for told in result["words"]}


def test_a_word_of_the_active_pictures_alone_comes_first() -> None:
    ranked = _ranked([("red", "square")] * 10, [("blue", "square")] * 10, [], [])
    assert [told.phrase for told in ranked] == ["red", "square", "blue"]
    assert ranked[0].z_pictures > 1 > abs(ranked[1].z_pictures)


def test_vision_components_hear_no_questions(do: Caller) -> None:
    assert do("describe", component="vision.1.mlp.2", n=16).result["words"] == []


def test_captions_of_named_pictures_name_what_is_there(do: Caller) -> None:
    captions = do("describe", images=[0, 1, 2]).result["captions"]
    assert [caption["phrases"] for caption in captions] == [["red", "square"], ["blue", "square"], []]


def test_the_hot_crop_lies_about_the_hottest_patch() -> None:
    image = Image.new("RGB", (112, 112))
    image.paste((255, 0, 0), (80, 80, 112, 112))
    boxes = np.array([[16 * x, 16 * y, 16 * x + 16, 16 * y + 16] for y in range(7) for x in range(7)], float)
    heat = np.zeros((7, 7))
    heat[5, 5] = 1
    found = crops(image, heat, boxes)
    assert np.asarray(found.hot)[..., 0].mean() > 100
    assert np.asarray(found.cold)[..., 0].max() == 0
    assert found.hot.size == found.cold.size == (48, 48)


def test_tiny_pictures_are_not_cropped_below_their_size() -> None:
    found = crops(Image.new("RGB", (28, 28)), np.eye(2), BOXES)
    assert found.hot.size == (28, 28)


@pytest.mark.parametrize("scope", ["question", "answer"])
def test_language_components_are_described_over_their_question_too(do: Caller, scope: str) -> None:
    reading = {"sign": "+", "scope": scope}
    result = do("describe", component="language.1.mlp.2", reading=reading, n=16).result
    assert result["words"] and result["crops"] == 0


def test_a_language_heads_crops_are_where_it_looks_from_the_answer(do: Caller) -> None:
    for scope, cropped in (("answer", True), ("visual", False)):
        reading = {"sign": "+", "scope": scope}
        result = do("describe", component="language.1.head.2", reading=reading, n=16).result
        assert (result["crops"] > 0) == cropped
