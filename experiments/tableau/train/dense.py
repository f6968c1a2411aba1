"""Dense supervision: what every patch of the picture shows, and linear read-outs that must say so.

Without it the vision tower stays for thousands of steps where it names colors that are somewhere in the picture but
not whose they are. The read-outs exist in training only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from experiments.tableau.render import masks, sign_mask
from experiments.tableau.scene import BACKGROUNDS, COLORS, FILLS, GRID, PATCH, SHAPES, SIZES, Scene

NONE = -100
"""Label of patches where a question does not arise."""
SHARE = 0.25
"""Share of a patch that a thing must cover for the patch to be the thing's."""
CLASSES = {
    "kind": 3,
    "center": 2,
    "shape": len(SHAPES),
    "color": len(COLORS),
    "fill": len(FILLS),
    "size": len(SIZES),
    "background": len(BACKGROUNDS),
}
"""Read-out → number of its classes; `kind` is background, thing or sign; `center`: a thing's center lies here."""


def dense_labels(scene: Scene) -> Int[np.ndarray, "readout patch"]:
    """Labels in the order of CLASSES for all patches, row by row; NONE where the question does not arise."""
    labels = np.full((len(CLASSES), GRID * GRID), NONE, dtype=np.int64)
    kind, center, shape, color, fill, size, background = labels
    kind[:] = 0
    center[:] = 0
    if scene.things:
        shares = masks(scene).reshape(-1, GRID, PATCH, GRID, PATCH).mean(axis=(2, 4)).reshape(-1, GRID * GRID)
        for index, thing in enumerate(scene.things):
            own = shares[index] >= SHARE
            kind[own] = 1
            shape[own] = SHAPES.index(thing.shape)
            color[own] = COLORS.index(thing.color)
            fill[own] = FILLS.index(thing.fill)
            size[own] = SIZES.index(thing.size)
            center[int(thing.y) // PATCH * GRID + int(thing.x) // PATCH] = 1
        covered = shares.max(axis=0)
    else:
        covered = np.zeros(GRID * GRID)
    if scene.sign:
        card = sign_mask(scene).reshape(GRID, PATCH, GRID, PATCH).mean(axis=(1, 3)).reshape(-1)
        kind[card >= 0.5] = 2
        covered = np.maximum(covered, card)
    background[covered == 0] = BACKGROUNDS.index(scene.background)
    return labels


class DenseLoss(NamedTuple):
    """Sum over read-outs of the mean cross-entropy, and each read-out's accuracy on this batch."""

    loss: Tensor
    accuracy: dict[str, float]


class DenseHeads(nn.Module):
    """One linear read-out a question, on patch features [row, patch, width]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = nn.ModuleDict({name: nn.Linear(width, classes) for name, classes in CLASSES.items()})
        self.norm = nn.LayerNorm(width)

    def forward(
        self, features: Float[Tensor, "row patch width"], labels: Int[Tensor, "row readout patch"]
    ) -> DenseLoss:
        features = self.norm(features)
        total = features.new_zeros((), dtype=torch.float32)
        accuracy: dict[str, float] = {}
        for index, (name, head) in enumerate(self.heads.items()):
            target = labels[:, index]
            logits = head(features).float()
            total = total + F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=NONE)
            known = target != NONE
            accuracy[name] = float((logits.argmax(-1)[known] == target[known]).float().mean())
        return DenseLoss(total, accuracy)
