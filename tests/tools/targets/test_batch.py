"""Which positions are meant, in rows of different lengths."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from store.errors import UserError
from tools.targets.batch import SCOPES, Batch, Space


def batch(*questions: int, patches: int = 3) -> Batch:
    """Rows of a start token, the picture, so many words and the answer position, padded on the left."""
    width = max(questions) + patches + 2
    real = torch.zeros(len(questions), width, dtype=torch.bool)
    visual, question = torch.zeros_like(real), torch.zeros_like(real)
    for row, words in enumerate(questions):
        start = width - words - patches - 2
        real[row, start:] = True
        visual[row, start + 1 : start + 1 + patches] = True
        question[row, start + 1 + patches : -1] = True
    ids = torch.arange(real.numel()).reshape(real.shape)
    answer = torch.full((len(questions),), width - 1)
    return Batch({"input_ids": ids}, visual, question, real, answer, patches)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=5), st.integers(1, 4))
def test_every_real_position_has_exactly_one_class(questions: list[int], patches: int) -> None:
    rows = batch(*questions, patches=patches)
    spaces: tuple[Space, ...] = ("language", "vision", "patches", "answer")
    for space in spaces:
        classes = rows.classes(space)
        assert torch.equal(classes >= 0, rows.where(space, "all"))
        for number, scope in enumerate(SCOPES[space], start=1):
            if scope:
                assert torch.equal(classes == number, rows.where(space, scope))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=5), st.integers(-5, 4))
def test_numbers_mean_the_same_whatever_the_padding(questions: list[int], position: int) -> None:
    together = batch(*questions).where("language", (position,))
    for row, words in enumerate(questions):
        alone = batch(words).where("language", (position,))[0]
        assert torch.equal(together[row, -len(alone) :], alone)
        assert together[row].sum() == 1


def test_a_number_past_the_shortest_row_is_refused() -> None:
    rows = batch(0, 4)
    assert rows.where("language", (4, -1)).sum(1).tolist() == [1, 2]
    for position in (5, -6):
        with pytest.raises(UserError, match=f"position {position} is past the end of a row of 5 positions"):
            rows.where("language", (position,))


def test_scopes_that_a_space_lacks_are_refused() -> None:
    rows = batch(2)
    for space, scope, called in (
        ("vision", "question", "the vision tower"),
        ("patches", "answer", "the connector"),
        ("answer", "visual", "the logits"),
    ):
        with pytest.raises(UserError, match=f"there are no `{scope}` positions in {called}"):
            rows.where(space, scope)  # type: ignore[arg-type]


def test_the_class_token_is_not_visual() -> None:
    assert batch(2).where("vision", "visual").tolist() == [[False, True, True, True]]
    assert batch(2).where("vision", (0,)).tolist() == [[True, False, False, False]]


def test_patches_may_stand_without_a_class_token_and_several_for_one_visual_token() -> None:
    rows = replace(batch(2), lead=0, merged=4)
    assert rows.where("vision", "visual").tolist() == [[True] * 12]
    assert (rows.width("vision"), rows.width("patches")) == (12, 3)


def test_an_answer_that_is_predicted_apart_is_no_position_of_the_question() -> None:
    rows = replace(batch(2), apart=True)
    assert not rows.where("language", "answer").any()
    assert rows.where("answer", "answer").tolist() == [[True]]


def test_rows_can_be_chosen_repeated_and_joined() -> None:
    rows = batch(1, 3, 2)
    chosen = rows.rows([2, 0, 2])
    assert torch.equal(chosen.inputs["input_ids"], rows.inputs["input_ids"][[2, 0, 2]])
    assert torch.equal(chosen.question, rows.question[[2, 0, 2]])
    joined = Batch.joined([rows.rows([0]), rows.rows([1, 2])])
    assert torch.equal(joined.real, rows.real) and len(joined) == 3
