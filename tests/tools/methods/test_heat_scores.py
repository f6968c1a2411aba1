"""Scores over many maps by hand: means beside their controls, and F1-IoU from the means."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from tools.methods.heat_scores import distrusted, f1_of, quantities_of
from tools.methods.mapped import Mapped
from tools.relevance.function_words import names_nothing


def mapped(**scores: list[float]) -> Mapped:
    """A picture whose maps (its own, then two controls) have these scores."""
    nothing = cast(Any, None)
    own = {"saco": [0.5, 0.1, -0.1], **scores}
    return Mapped(nothing, nothing, [], {name: np.array(values) for name, values in own.items()}, 1.0, 0.0)


def test_f1_iou_joins_the_means_of_the_collection_not_its_pictures() -> None:
    """Means 0.3 and 0.7; resamples reach from one picture alone (0.18) to the other (0.5)."""
    found = f1_of(np.array([0.1, 0.5]), np.array([0.9, 0.5]), seed=0)
    assert found.value == pytest.approx(2 * 0.3 * 0.7 / (0.3 + 0.7)) and found.n == 2
    assert found.low <= 2 * 0.1 * 0.9 <= 2 * 0.5 * 0.5 <= found.high


def test_a_score_is_taken_over_the_pictures_that_have_it() -> None:
    cold = [0.9, 0.5, 0.5]
    some = [mapped(obj_iou=[0.2, 0, 0], func_iou=cold), mapped(obj_iou=[0.4, 0, 0], func_iou=cold), mapped()]
    found = quantities_of(some, seed=0)
    assert found["saco"].n == 3 and found["obj_iou"].n == found["func_iou"].n == found["f1_iou"].n == 2
    assert found["func_iou"].value == pytest.approx(0.9) and found["func_iou"].control == pytest.approx(0.5)
    assert found["f1_iou"].value == pytest.approx(2 * 0.3 * 0.9 / 1.2)
    assert found["f1_iou"].control == 0


def test_a_score_of_one_picture_is_not_told() -> None:
    found = quantities_of([mapped(obj_iou=[0.2, 0, 0], func_iou=[0.9, 0.5, 0.5]), mapped()], seed=0)
    assert not {"obj_iou", "func_iou", "f1_iou"} & set(found)


def test_maps_that_are_the_same_for_every_word_are_distrusted() -> None:
    same = [mapped(obj_iou=[0.2, 0, 0], func_iou=[0.7, 0.7, 0.7])] * 4
    told = distrusted("attention", same, quantities_of(same, seed=0))
    assert len(told) == 1 and "does not tell words apart" in told[0]


@pytest.mark.parametrize("word", ["a", " The", "which", "There"])
def test_words_of_the_closed_class_name_nothing(word: str) -> None:
    assert names_nothing(word)


@pytest.mark.parametrize("word", ["star", "no", "yes", "two", "on", ""])
def test_other_words_may_name_something(word: str) -> None:
    assert not names_nothing(word)
