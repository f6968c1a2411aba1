"""The error of a judge that is asked is measured where the truth is known, and a judge that errs is seen to err."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from jaxtyping import Float32
from PIL import Image

from experiments.registry import open_target
from experiments.tableau.polling import ask, judge_error, things
from store.errors import UserError
from tools.polling_judge import PollingJudge

ASKED = 60


class Always:
    """Says the same of everything; fulfils ConceptJudge."""

    def __init__(self, sure: float) -> None:
        self.sure = sure

    def present(
        self, images: Sequence[Image.Image], phrases: Sequence[str], /
    ) -> Float32[np.ndarray, "image phrase"]:
        return np.full((len(images), len(phrases)), self.sure, np.float32)


def test_a_trained_model_that_is_asked_is_nearly_always_right(committed_weights: object) -> None:
    found = judge_error(PollingJudge(open_target("tableau-llava", "cpu"), ask), ASKED)
    assert (found.all.n, found.missed.n, found.imagined.n) == (ASKED, ASKED // 2, ASKED // 2)
    assert found.all.value < 0.15 and found.all.low < found.all.high
    assert str(found).startswith(f"wrong {found.all.value:.1%} [") and str(found).endswith("n = 60")


@pytest.mark.parametrize(("sure", "missed", "imagined"), [(1.0, 0, 1), (0.0, 1, 0)])
def test_a_judge_that_always_says_the_same_is_right_on_half(
    sure: float, missed: float, imagined: float
) -> None:
    found = judge_error(Always(sure), 20)
    assert (found.all.value, found.missed.value, found.imagined.value) == (0.5, missed, imagined)


def test_an_error_needs_both_kinds_of_phrases() -> None:
    with pytest.raises(ValueError, match="got 1 judgements"):
        judge_error(Always(1), 1)


def test_things_are_asked_for_in_the_words_of_the_training_and_nothing_else_is() -> None:
    assert [ask(phrase) for phrase in ("red star", "orange thing")] == [
        "is there a red star ?",
        "is there an orange thing ?",
    ]
    assert {"red thing", "star", "dotted thing"} <= set(things()) and all(ask(one) for one in things())
    for phrase in ("dark background", "red", "question asks color", "zebra"):
        with pytest.raises(UserError, match="names no thing") as caught:
            ask(phrase)
        assert caught.value.kind == "unknown_phrase"
