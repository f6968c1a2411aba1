"""Training `tableau-llava` the way LLaVA is trained: decoder on text, connector, then instructions.

Stages: `text` teaches the decoder to answer from captions and facts; `align` trains the connector alone, so that
patches arrive where the decoder keeps the words for what they show; `instruct` trains everything on packed questions,
with text among the pictures so that what was learned from text stays. Patch features keep the dense read-outs as a
small part of the loss, until `count` asks about groups of things without them.
"""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import CLIPModel

from experiments.tableau.concepts import WORDS
from experiments.tableau.lexicon import START
from experiments.tableau.models import DECODER, PREFIX, VISION, new_llava, take_vision_tower
from experiments.tableau.questions import KINDS
from experiments.tableau.sampler import Distribution
from experiments.tableau.train import packing
from experiments.tableau.train.batches import (
    CAPTION_WIDTH,
    IDS,
    PREFIX_WIDTH,
    QUESTION_WIDTH,
    PictureBatch,
    Slots,
    TextBatch,
    picture_batch,
    scenes_of,
    text_batch,
)
from experiments.tableau.train.clip import vision_layers
from experiments.tableau.train.dense import CLASSES, NONE, DenseHeads
from experiments.tableau.train.loop import Outcome, Stage, to_device

PICTURES: dict[Distribution, float] = {"regular": 0.6, "alike": 0.4}
GROUPS: dict[Distribution, float] = {"regular": 0.35, "alike": 0.65}
WORD_SCALE = 20.0
"""Sharpness of the comparison between projected patches and word embeddings."""
TEXT_EVERY = 6
"""In `instruct`, one batch in so many is text."""
QUESTIONS = 14
MIDDLE, WHERE_SHARE = 3, 5.0
"""Number of layers after which the word that names a thing must know where it stands; what an error weighs."""


class Stream(NamedTuple):
    """The decoder's residual stream after MIDDLE layers, and at its end (normed)."""

    middle: Float[Tensor, "row position width"]
    last: Float[Tensor, "row position width"]


class LlavaTrainee(nn.Module):
    """The model with the dense read-outs of the vision tower's training; the decoder attends in packed slots."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        packing.register()
        self.llava = new_llava(seed)
        self.llava.set_attn_implementation({"text_config": "packed"})
        self.dense = DenseHeads(VISION["hidden_size"])
        self.where = nn.Sequential(nn.LayerNorm(DECODER["hidden_size"]), nn.Linear(DECODER["hidden_size"], 2))
        self._start_near_copying()

    def take_vision(self, clip: CLIPModel, dense: DenseHeads) -> None:
        """Starts from the contrastive model's vision tower and its read-outs."""
        take_vision_tower(self.llava, clip)
        self.dense.load_state_dict(dense.state_dict())

    def take_weights(self, llava: nn.Module) -> None:
        """Starts from a finished model, whose read-outs are gone: only stages without them can follow."""
        self.llava.load_state_dict(llava.state_dict())

    def _start_near_copying(self) -> None:
        """The first two decoder layers begin by looking for what resembles the query: binding is learned sooner."""
        with torch.no_grad():
            for layer in self.llava.model.language_model.layers[:2]:
                layer.self_attn.q_proj.weight.copy_(layer.self_attn.k_proj.weight)

    def step(self, batch: PictureBatch | TextBatch) -> Outcome:
        if isinstance(batch, TextBatch):
            return self.text_step(batch)
        return self.picture_step(batch, dense=0.3, where=True)

    def plain_step(self, batch: PictureBatch | TextBatch) -> Outcome:
        """As `step`, without read-outs."""
        if isinstance(batch, TextBatch):
            return self.text_step(batch)
        return self.picture_step(batch, dense=0.0)

    def text_step(self, batch: TextBatch) -> Outcome:
        """Language modelling on the prefix and answers behind it."""
        embed = self.llava.get_input_embeddings()
        slots = batch.questions.ids.shape[1] // QUESTION_WIDTH
        layout = packing.Packing(PREFIX_WIDTH, batch.lengths, ((slots, QUESTION_WIDTH),))
        stream = self._decode(embed(torch.cat([batch.prefix.ids, batch.questions.ids], dim=1)), layout)
        hidden = stream.last
        loss, right = self._predict(hidden, _joined(batch.prefix, batch.questions))
        return Outcome(loss, {"text": float(right.float().mean())})

    def picture_step(self, batch: PictureBatch, *, dense: float, where: bool = False) -> Outcome:
        """Answers and captions behind pictures.

        `dense` weighs the read-outs, the comparison with words and, with `where`, the read-out of places.
        """
        features, _ = vision_layers(self.llava.model.vision_tower, batch.pixels)
        projected = self.llava.model.multi_modal_projector(features)
        stream = self._behind_picture(projected, batch)
        slots = _joined(batch.questions, batch.captions)
        loss, right = self._predict(stream.last, slots)
        figures = {"answers": float(right.float().mean())}
        if dense:
            read = self.dense(features, batch.labels)
            words, agreement = self._words(projected, batch.labels)
            loss = loss + dense * (0.3 * read.loss + words)
            figures |= {"words": agreement}
        if dense and where:
            away = self._away(stream.middle, slots)
            loss = loss + dense * WHERE_SHARE * away
            figures |= {"away": float(away.detach())}
        return Outcome(loss, figures)

    def _behind_picture(self, projected: Float[Tensor, "row patch width"], batch: PictureBatch) -> Stream:
        """The stream in the slots behind [start, picture]."""
        embed = self.llava.get_input_embeddings()
        rows = len(projected)
        start = embed(torch.full((rows, 1), IDS[START], device=projected.device))
        slots = embed(torch.cat([batch.questions.ids, batch.captions.ids], dim=1))
        number = batch.questions.ids.shape[1] // QUESTION_WIDTH
        lengths = torch.full((rows,), PREFIX, device=projected.device)
        layout = packing.Packing(PREFIX, lengths, ((number, QUESTION_WIDTH), (1, CAPTION_WIDTH)))
        stream = self._decode(torch.cat([start, projected, slots], dim=1), layout)
        return Stream(stream.middle[:, PREFIX:], stream.last[:, PREFIX:])

    def _decode(self, embedded: Float[Tensor, "row position width"], layout: packing.Packing) -> Stream:
        decoder = self.llava.model.language_model
        out = decoder(
            inputs_embeds=embedded,
            position_ids=layout.positions,
            packing=layout,
            use_cache=False,
            output_hidden_states=True,
        )
        return Stream(out.hidden_states[MIDDLE], out.last_hidden_state)

    def _predict(
        self, hidden: Float[Tensor, "row position width"], slots: Slots
    ) -> tuple[Float[Tensor, ""], Tensor]:
        """Weighted cross-entropy where supervised, and whether each answer word (weight 1) is right."""
        asked = slots.weights > 0
        logits = self.llava.lm_head(hidden[asked]).float()
        targets, weights = slots.targets[asked], slots.weights[asked]
        loss = (F.cross_entropy(logits, targets, reduction="none") * weights).sum() / weights.sum()
        return loss, (logits.argmax(-1) == targets)[weights == 1]

    def _away(self, middle: Float[Tensor, "row position width"], slots: Slots) -> Float[Tensor, ""]:
        """How far a linear read-out at a naming phrase's last word is from the thing: mean squared error."""
        known = ~slots.places[..., 0].isnan()
        missed = (self.where(middle[known]).float() - slots.places[known]) ** 2
        return missed.sum() / known.sum().clamp(min=1) / 2

    def _words(
        self, projected: Float[Tensor, "row patch width"], labels: Int[Tensor, "row readout patch"]
    ) -> tuple[Tensor, float]:
        """How far each patch's token points to the words for what it shows: mean cross-entropy, and accuracy."""
        table = F.normalize(self.llava.model.language_model.embed_tokens.weight.float(), dim=-1)
        tokens = F.normalize(projected.float(), dim=-1)
        losses, right = [], []
        for name, words in WORDS.items():
            target = labels[:, list(CLASSES).index(name)]
            known = target != NONE
            logits = WORD_SCALE * tokens[known] @ table[[IDS[word] for word in words]].T
            losses.append(F.cross_entropy(logits, target[known]))
            right.append((logits.argmax(-1) == target[known]).float().mean())
        return torch.stack(losses).mean(), float(torch.stack(right).mean())

    @torch.no_grad()
    def answers(self, batch: PictureBatch) -> Int[Tensor, "row slot"]:
        """1 where the packed question's answer word is right, 0 where wrong, −1 in empty slots."""
        features, _ = vision_layers(self.llava.model.vision_tower, batch.pixels)
        hidden = self._behind_picture(self.llava.model.multi_modal_projector(features), batch).last
        width = batch.questions.ids.shape[1]
        guess = self.llava.lm_head(hidden[:, :width]).argmax(-1)
        right = ((guess == batch.questions.targets) & (batch.questions.weights == 1)).reshape(
            len(guess), -1, QUESTION_WIDTH
        )
        return right.any(-1).long().masked_fill(batch.kinds < 0, -1)


def _joined(first: Slots, second: Slots) -> Slots:
    return Slots(*(torch.cat(pair, dim=1) for pair in zip(first, second, strict=True)))


def text_of(step: int, *, stage: int, rows: int) -> TextBatch:
    scenes = scenes_of(stage, step, rows, {"regular": 0.4, "balanced": 0.4, "alike": 0.2})
    return text_batch(scenes, np.random.default_rng([stage, step]), 6)


def pictures_of(
    step: int, *, stage: int, rows: int, mix: dict[Distribution, float] = PICTURES
) -> PictureBatch:
    scenes = scenes_of(stage, step, rows, mix)
    return picture_batch(scenes, np.random.default_rng([stage, step]), QUESTIONS)


def mixed_of(
    step: int, *, stage: int, rows: int, mix: dict[Distribution, float] = PICTURES
) -> PictureBatch | TextBatch:
    if step % TEXT_EVERY == TEXT_EVERY - 1:
        return text_of(step, stage=stage, rows=rows)
    return pictures_of(step, stage=stage, rows=rows, mix=mix)


def stages(trainee: LlavaTrainee, scale: float) -> list[Stage]:
    """The recipe; `scale` shortens every stage for trials."""
    language, vision = "llava.model.language_model", "llava.model.vision_tower"
    connector = "llava.model.multi_modal_projector"
    return [
        Stage(
            "text",
            math.ceil(700 * scale),
            {language: 2e-3},
            partial(text_of, stage=3, rows=48),
            trainee.text_step,
        ),
        Stage(
            "align",
            math.ceil(200 * scale),
            {connector: 2e-3},
            partial(pictures_of, stage=4, rows=24),
            partial(trainee.picture_step, dense=1.0),
        ),
        Stage(
            "instruct",
            math.ceil(2800 * scale),
            {language: 1e-3, connector: 1e-3, vision: 5e-4, "dense": 1e-3, "where": 2e-3},
            partial(mixed_of, stage=5, rows=32),
            trainee.step,
            snapshots=(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0),
        ),
        Stage(
            "polish",
            math.ceil(900 * scale),
            {language: 7e-4, connector: 7e-4, vision: 3e-4, "dense": 7e-4, "where": 1e-3},
            partial(mixed_of, stage=7, rows=32),
            trainee.step,
        ),
        Stage(
            "count",
            math.ceil(1100 * scale),
            {language: 7e-4, connector: 7e-4, vision: 3e-4},
            partial(mixed_of, stage=8, rows=32, mix=GROUPS),
            trainee.plain_step,
        ),
    ]


def evaluate(trainee: LlavaTrainee) -> dict[str, float]:
    """Accuracy by kind on packed questions behind 256 balanced held-out scenes."""
    device = trainee.llava.device
    right: dict[str, list[float]] = {}
    for step in range(4):
        batch = to_device(pictures_of(step, stage=91, rows=64, mix={"balanced": 1.0}), device)
        scores, kinds = trainee.answers(batch).cpu(), batch.kinds.cpu()
        for index, kind in enumerate(KINDS):
            right.setdefault(kind, []).extend(scores[kinds == index].tolist())
    return {kind: sum(scores) / len(scores) for kind, scores in right.items() if scores}
