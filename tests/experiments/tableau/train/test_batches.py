"""Training batches: the same for the same step, supervised in the answers only, no question twice behind a picture."""

from __future__ import annotations

import torch

from experiments.tableau.lexicon import vocabulary
from experiments.tableau.questions import ANSWERS
from experiments.tableau.train import clip, llava
from experiments.tableau.train.batches import IDS, QUESTION_WIDTH, PictureBatch, stream

WORDS = vocabulary()


def turns(batch: PictureBatch, row: int) -> list[list[str]]:
    """The words of a row's slots, padding left out."""
    slots = batch.questions.ids[row].reshape(-1, QUESTION_WIDTH).tolist()
    return [[WORDS[token] for token in slot if token != IDS["<pad>"]] for slot in slots]


def test_the_same_step_gives_the_same_batch_and_another_step_another() -> None:
    one, same, other = (llava.pictures_of(step, stage=95, rows=3) for step in (4, 4, 5))
    assert torch.equal(one.pixels, same.pixels)
    assert torch.equal(one.questions.ids, same.questions.ids)
    assert not torch.equal(one.pixels, other.pixels)


def test_a_stream_that_starts_late_goes_on_with_the_batches_that_it_would_have_had() -> None:
    def number(step: int) -> int:
        return step * step

    assert list(stream(number, 3, 6, workers=0)) == [9, 16, 25]


def test_no_question_stands_twice_behind_one_picture() -> None:
    batch = llava.pictures_of(0, stage=95, rows=16)
    for row in range(16):
        asked = [" ".join(words[: words.index(":")]) for words in turns(batch, row) if words]
        assert len(asked) == len(set(asked))


def test_only_the_answer_and_its_end_are_supervised() -> None:
    batch = llava.pictures_of(1, stage=95, rows=8)
    answers = {word for options in ANSWERS.values() for word in options} | {"none", "nothing"}
    weights = batch.questions.weights
    assert {WORDS[token] for token in batch.questions.targets[weights == 1].tolist()} <= answers
    ends = (weights > 0) & (weights < 1)
    assert (batch.questions.targets[ends] == IDS["</s>"]).all()
    assert (weights == 1).sum() == ends.sum() == (batch.kinds >= 0).sum()


def test_the_wrong_caption_is_another_one() -> None:
    batch = clip.batch_of(0, stage=95, rows=32, mix=clip.REGULAR)
    width = min(batch.captions.shape[1], batch.wrong.shape[1])
    same = (batch.captions[:, :width] == batch.wrong[:, :width]).all(dim=1)
    assert not same.any()
