"""Training `tableau-judge`: whole pictures and crops of them, labeled cell by cell from the scene graph.

Its scenes come from their own stream, so that it shares none with the models that it will judge. As an instrument it
knows all three render styles, and pictures that are a little blurred or noisy, as edited ones are.
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

from experiments.tableau.judge import Judge, Maps
from experiments.tableau.judge_check import STREAM, examine
from experiments.tableau.phrases import ATTRIBUTES
from experiments.tableau.render import masks
from experiments.tableau.sampler import Distribution
from experiments.tableau.scene import SIDE, Scene
from experiments.tableau.train.batches import pixels, scenes_of
from experiments.tableau.train.crops import Labels, crop, label, styled
from experiments.tableau.train.dense import NONE
from experiments.tableau.train.loop import Outcome, Stage

MIX: dict[Distribution, float] = {"balanced": 0.5, "regular": 0.25, "crowded": 0.25}
CROP_SHARE = 0.4
"""Share of the steps that show crops."""
SMALLEST_CROP, CROPS_EACH = 16, 4
"""Least width and height of a crop in pixels, and most crops cut from one scene."""
BLUR, NOISE, GAIN = 0.5, 0.08, 0.08
"""Strongest disturbance: share of a 3×3 mean, standard deviation (pixels are in [−1, 1]), change of brightness."""


class JudgeBatch(NamedTuple):
    """Pixels in [−1, 1] and labels; the readouts are `thing` and then ATTRIBUTES."""

    pixels: Float[Tensor, "row 3 height width"]
    cells: Int[Tensor, "row readout cell_row cell_column"]
    backgrounds: Int[Tensor, "row"]


class JudgeTrainee(nn.Module):
    """The judge under a name of its own in the checkpoint."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.judge = Judge()

    def step(self, batch: JudgeBatch) -> Outcome:
        """Cross-entropies: of centers per true center, of words per labeled cell, of backgrounds per picture."""
        maps = Maps(*(part.float() for part in self.judge(batch.pixels)))
        truth, known = batch.cells[:, 0].clamp(min=0).float(), batch.cells[:, 0] != NONE
        misses = F.binary_cross_entropy_with_logits(maps.thing[known], truth[known], reduction="sum")
        total = misses / truth[known].sum().clamp(min=len(truth))
        figures = {"center loss": float(misses.detach() / known.sum())}
        for index, name in enumerate(ATTRIBUTES, start=1):
            loss, figures[name] = _words(getattr(maps, name), batch.cells[:, index])
            total = total + loss
        loss, figures["background"] = _words(maps.background, batch.backgrounds)
        return Outcome(total + loss, figures)


def _words(
    logits: Float[Tensor, "row word *cells"], target: Int[Tensor, "row *cells"]
) -> tuple[Tensor, float]:
    """Mean cross-entropy where a label is known (0 when none is), and the share that is right."""
    known = (target != NONE).sum().clamp(min=1)
    loss = F.cross_entropy(logits, target, ignore_index=NONE, reduction="sum") / known
    return loss, float((logits.argmax(1) == target).sum() / known)


def judge_batch(
    scenes: list[Scene], rng: np.random.Generator, size: tuple[int, int] = (SIDE, SIDE)
) -> JudgeBatch:
    """Disturbed crops of one size (height, width), more of each scene when they are small, with their labels."""
    pictures, height, width = pixels(scenes), *size
    each = min(CROPS_EACH, SIDE * SIDE // (height * width))
    parts: list[Tensor] = []
    labels: list[Labels] = []
    for scene, picture in zip(scenes, pictures, strict=True):
        drawn = masks(scene)
        for _ in range(each):
            box = crop(scene, rng, height, width)
            parts.append(picture[:, *box.slices])
            labels.append(label(scene, drawn, box))
    cells = torch.from_numpy(np.stack([one.cells for one in labels]))
    return JudgeBatch(
        _disturbed(torch.stack(parts), rng), cells, torch.tensor([one.background for one in labels])
    )


def _disturbed(
    pictures: Float[Tensor, "row 3 height width"], rng: np.random.Generator
) -> Float[Tensor, "row 3 height width"]:
    """Half of the pictures, each with its own blur, noise and brightness."""
    touched = rng.random((len(pictures), 1, 1, 1)) < 0.5
    blur, noise, gain = (
        torch.from_numpy((touched * rng.uniform(low, high, touched.shape)).astype(np.float32))
        for low, high in ((0, BLUR), (0, NOISE), (-GAIN, GAIN))
    )
    soft = torch.lerp(pictures, F.avg_pool2d(pictures, 3, 1, 1, count_include_pad=False), blur)
    grain = torch.from_numpy(rng.standard_normal(tuple(pictures.shape), dtype=np.float32))
    return ((soft + 1) * (1 + gain) - 1 + noise * grain).clamp(-1, 1)


def batch_of(step: int, *, stage: int, rows: int) -> JudgeBatch:
    rng = np.random.default_rng([stage, step, STREAM, 1])
    size = (SIDE, SIDE)
    if rng.random() < CROP_SHARE:
        height, width = rng.integers(SMALLEST_CROP, SIDE + 1, size=2).tolist()
        size = (height, width)
    return judge_batch(styled(scenes_of(stage, step, rows, MIX, STREAM), rng), rng, size)


def stages(trainee: JudgeTrainee, scale: float) -> list[Stage]:
    """The recipe; `scale` shortens it for trials."""
    return [
        Stage(
            "judge",
            math.ceil(1500 * scale),
            {"judge": 2e-3},
            partial(batch_of, stage=6, rows=32),
            trainee.step,
        )
    ]


def evaluate(trainee: JudgeTrainee, scenes: int = 192) -> dict[str, float]:
    """Shares of what `examine` finds right."""
    return {name: float(np.mean(right)) for name, right in examine(trainee.judge, scenes).items()}
