"""Training `tableau-clip`: captions against pictures, with dense supervision so that binding is learned.

Stages: `dense` teaches the vision tower what every patch shows, mostly on crowded scenes; `contrast` teaches both
towers which caption belongs to which picture, with captions that are wrong in one binding as hard negatives; `shape`
goes on with captions that are mostly wrong in a shape.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import CLIPModel

from experiments.tableau.models import FEATURE_LAYER, VISION, new_clip
from experiments.tableau.sampler import Distribution
from experiments.tableau.scene import GRID
from experiments.tableau.train.batches import labels_of, pixels, scenes_of
from experiments.tableau.train.contrast import EVEN, SHAPES_FIRST, ContrastBatch, contrast_batch
from experiments.tableau.train.dense import DenseHeads
from experiments.tableau.train.loop import Outcome, Stage

CROWDED: dict[Distribution, float] = {"crowded": 0.8, "regular": 0.2}
REGULAR: dict[Distribution, float] = {"regular": 1.0}
GROUPS: dict[Distribution, float] = {"regular": 0.7, "alike": 0.3}
DENSE_SHARE = 0.3


class ClipTrainee(nn.Module):
    """The model with the read-outs that exist in training only."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.clip: CLIPModel = new_clip(seed)
        self.dense = DenseHeads(VISION["hidden_size"])
        start_near_neighbors(self.clip.vision_model)

    def dense_step(self, batch: ContrastBatch) -> Outcome:
        features, _ = vision_layers(self.clip.vision_model, batch.pixels)
        loss, accuracy = self.dense(features, batch.labels)
        return Outcome(loss, accuracy)

    def take_weights(self, clip: nn.Module) -> None:
        """Starts from a finished model, whose read-outs are gone: only `plain_step` can follow."""
        self.clip.load_state_dict(clip.state_dict())

    def plain_step(self, batch: ContrastBatch) -> Outcome:
        """As `contrast_step`, without read-outs."""
        return self.contrast_step(batch, dense=0.0)

    def contrast_step(self, batch: ContrastBatch, dense: float = DENSE_SHARE) -> Outcome:
        features, last = vision_layers(self.clip.vision_model, batch.pixels, to_end=True)
        assert last is not None
        pooled = self.clip.vision_model.post_layernorm(last[:, 0])
        seen = F.normalize(self.clip.visual_projection(pooled).float(), dim=-1)
        rows = len(seen)
        width = max(batch.captions.shape[1], batch.wrong.shape[1])
        lines = torch.cat([F.pad(part, (0, width - part.shape[1])) for part in (batch.captions, batch.wrong)])
        told = F.normalize(self.text(lines).float(), dim=-1)
        scale = self.clip.logit_scale.exp().clamp(max=100.0)
        logits = scale * seen @ told.T
        truth = torch.arange(rows, device=logits.device)
        contrast = F.cross_entropy(logits, truth) + F.cross_entropy(logits[:, :rows].T, truth)
        own, wrong = logits[truth, truth], logits[truth, truth + rows]
        figures = {
            "retrieval": float((logits[:, :rows].argmax(-1) == truth).float().mean()),
            "binding": float((own > wrong).float().mean()),
        }
        if not dense:
            return Outcome(contrast, figures)
        loss, accuracy = self.dense(features, batch.labels)
        return Outcome(contrast + dense * loss, figures | accuracy)

    def text(self, ids: Int[Tensor, "row token"]) -> Float[Tensor, "row width"]:
        """Projected text embeddings; padding is hidden."""
        return self.clip.get_text_features(input_ids=ids, attention_mask=(ids != 0).long()).pooler_output


def start_near_neighbors(tower: Any) -> None:
    """Begins with a sense of place: sine–cosine positions, and early layers that look where it is alike and near.

    A shape is told by patches that lie side by side; from random positions the tower needs long to find out which do.
    """
    with torch.no_grad():
        table = tower.embeddings.position_embedding.weight
        table[1:] = 0.2 * grid_positions(table.shape[1])
        for layer in tower.encoder.layers[:2]:
            layer.self_attn.k_proj.weight.mul_(1.5)
            layer.self_attn.q_proj.weight.copy_(layer.self_attn.k_proj.weight)


def grid_positions(width: int) -> Float[Tensor, "patch width"]:
    """Sines and cosines of row and column at wavelengths from 4 patches up to four times the grid."""
    waves = torch.logspace(math.log10(4), math.log10(4 * GRID), width // 4)
    place = torch.arange(GRID)[:, None] * (2 * math.pi) / waves
    line = torch.cat([place.sin(), place.cos()], dim=1)
    rows = line[:, None].expand(GRID, GRID, -1)
    return torch.cat([rows, rows.transpose(0, 1)], dim=2).reshape(GRID * GRID, -1)


def vision_layers(
    tower: Any, pictures: Float[Tensor, "row 3 side side"], *, to_end: bool = False
) -> tuple[Float[Tensor, "row patch width"], Float[Tensor, "row token width"] | None]:
    """What LLaVA reads (FEATURE_LAYER, without the class token), and with `to_end` the last layer's output."""
    hidden = tower.pre_layrnorm(tower.embeddings(pictures))
    layers = list(tower.encoder.layers)
    read = len(layers) + 1 + FEATURE_LAYER
    for layer in layers[:read]:
        hidden = layer(hidden, None)
    features = hidden[:, 1:]
    if not to_end:
        return features, None
    for layer in layers[read:]:
        hidden = layer(hidden, None)
    return features, hidden


def batch_of(
    step: int,
    *,
    stage: int,
    rows: int,
    mix: dict[Distribution, float],
    wrong: dict[str, float] = EVEN,
) -> ContrastBatch:
    return contrast_batch(scenes_of(stage, step, rows, mix), np.random.default_rng([stage, step]), wrong)


def dense_batch_of(step: int, *, stage: int, rows: int, mix: dict[Distribution, float]) -> ContrastBatch:
    """As batch_of, without captions: crowded scenes have no words for so many things."""
    scenes = scenes_of(stage, step, rows, mix)
    none = torch.zeros(rows, 0, dtype=torch.long)
    return ContrastBatch(pixels(scenes), labels_of(scenes), none, none)


def stages(trainee: ClipTrainee, scale: float) -> list[Stage]:
    """The recipe; `scale` shortens every stage for trials."""
    return [
        Stage(
            "dense",
            math.ceil(650 * scale),
            {"clip.vision_model": 1.5e-3, "dense": 1.5e-3},
            partial(dense_batch_of, stage=1, rows=40, mix=CROWDED),
            trainee.dense_step,
        ),
        Stage(
            "contrast",
            math.ceil(600 * scale),
            {"clip": 1e-3, "dense": 1e-3},
            partial(batch_of, stage=2, rows=48, mix=REGULAR),
            trainee.contrast_step,
        ),
        Stage(
            "shape",
            math.ceil(1000 * scale),
            {"clip": 7e-4},
            partial(batch_of, stage=6, rows=64, mix=GROUPS, wrong=SHAPES_FIRST),
            trainee.plain_step,
        ),
    ]


def evaluate(trainee: ClipTrainee) -> dict[str, float]:
    """Retrieval and binding on 192 balanced held-out scenes."""
    device = trainee.clip.device
    figures: dict[str, list[float]] = {}
    for step in range(4):
        batch = batch_of(step, stage=90, rows=48, mix={"balanced": 1.0})
        batch = ContrastBatch(*(part.to(device) for part in batch))
        for name, value in trainee.plain_step(batch).figures.items():
            figures.setdefault(name, []).append(value)
    return {name: sum(values) / len(values) for name, values in figures.items()}
