"""Packed questions give what separate sequences give, and none sees another."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from experiments.tableau.models import PREFIX
from experiments.tableau.train import llava
from experiments.tableau.train.batches import IDS, PREFIX_WIDTH, QUESTION_WIDTH, PictureBatch
from experiments.tableau.train.clip import vision_layers


@pytest.fixture(scope="module")
def trainee() -> llava.LlavaTrainee:
    return llava.LlavaTrainee(0).eval()


@pytest.fixture(scope="module")
def batch() -> PictureBatch:
    return llava.pictures_of(0, stage=95, rows=2)


def packed_logits(trainee: llava.LlavaTrainee, batch: PictureBatch) -> Tensor:
    features, _ = vision_layers(trainee.llava.model.vision_tower, batch.pixels)
    projected = trainee.llava.model.multi_modal_projector(features)
    return trainee.llava.lm_head(trainee._behind_picture(projected, batch).last)


@torch.no_grad()
def test_a_packed_question_equals_the_stock_model_on_that_question_alone(
    trainee: llava.LlavaTrainee, batch: PictureBatch
) -> None:
    packed = packed_logits(trainee, batch)
    trainee.llava.set_attn_implementation({"text_config": "sdpa"})
    try:
        for slot in (0, 5, 13):
            span = slice(slot * QUESTION_WIDTH, (slot + 1) * QUESTION_WIDTH)
            prefix = torch.full((2, PREFIX), IDS["<image>"])
            prefix[:, 0] = IDS["<s>"]
            ids = torch.cat([prefix, batch.questions.ids[:, span]], dim=1)
            alone = trainee.llava(input_ids=ids, pixel_values=batch.pixels).logits[:, PREFIX:]
            assert (alone - packed[:, span]).abs().max() < 1e-5
    finally:
        trainee.llava.set_attn_implementation({"text_config": "packed"})


@torch.no_grad()
def test_changing_one_question_changes_no_other(trainee: llava.LlavaTrainee, batch: PictureBatch) -> None:
    before = packed_logits(trainee, batch)
    ids = batch.questions.ids.clone()
    ids[:, :QUESTION_WIDTH] = IDS["red"]
    after = packed_logits(trainee, batch._replace(questions=batch.questions._replace(ids=ids)))
    changed = (before - after).abs().amax(dim=(0, 2))
    assert changed[:QUESTION_WIDTH].max() > 1e-3
    assert changed[QUESTION_WIDTH:].max() == 0


@torch.no_grad()
def test_the_padding_of_a_text_prefix_is_never_seen(trainee: llava.LlavaTrainee) -> None:
    batch = llava.text_of(0, stage=95, rows=4)
    first = trainee.text_step(batch).loss
    padded = torch.arange(PREFIX_WIDTH)[None] >= batch.lengths[:, None]
    assert padded.any()
    prefix = batch.prefix._replace(ids=batch.prefix.ids.masked_fill(padded, IDS["star"]))
    assert trainee.text_step(batch._replace(prefix=prefix)).loss == pytest.approx(float(first), abs=1e-6)
