"""Training the editor's autoencoder: crops of pictures, at last whole ones, redrawn after a squeeze to few numbers.

The loss is the mean absolute difference of pixels and of their differences to neighbors, which keeps outlines, stripes
and dots sharp, and a very small Kullback–Leibler term (Kingma & Welling 2014). Knows pixels; knows nothing about
instructions or diffusion (unet.py).
"""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from experiments.tableau.pix2pix import Stock, new_vae
from experiments.tableau.render import masks, sign_mask
from experiments.tableau.sampler import Distribution
from experiments.tableau.scene import Scene
from experiments.tableau.train.batches import pixels, scenes_of
from experiments.tableau.train.crops import crop
from experiments.tableau.train.loop import Outcome, Stage

STREAM = 13
"""Stream of the sampler whose scenes train the editor; no data set shares it."""
STAGE, CHECKED = 1, 90
"""Numbers of the training's stage and of the evaluation's, from which scenes and chance come."""
MIX: dict[Distribution, float] = {"balanced": 0.6, "crowded": 0.4}
STEPS, SCENES, CROPS_EACH, CROP = 4800, 12, 1, 56
"""Steps; scenes of a step, crops cut from each, and their width and height in pixels."""
WHOLE_SHARE, WHOLE_ROWS = 0.1, 4
"""Share of the steps, the last ones, that show whole pictures, and how many each."""
RATE = 1.2e-3
SQUARES, EDGES, DIVERGENCE = 4.0, 0.25, 2e-3
"""Weights of the squares, of the neighbors' differences and of the divergence per latent number."""
CHROMA = 1.0
"""How much more an error counts in so far as it is one of color and not of brightness."""
THINGS = 4.0
"""Weight of pixels on which a thing or the sign is drawn; that of others is 1."""


class VaeBatch(NamedTuple):
    """Pictures, or crops of them, in [−1, 1], and what each pixel counts."""

    pixels: Float[Tensor, "row 3 height width"]
    weights: Float[Tensor, "row height width"]


class VaeTrainee(nn.Module):
    """The autoencoder under a name of its own in the checkpoint."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.vae: Stock = new_vae(seed)

    def step(self, batch: VaeBatch) -> Outcome:
        """The loss of redrawing; the figure is the mean absolute difference in gray levels of 255."""
        seen = self.vae.encode(batch.pixels).latent_dist
        redrawn = self.vae.decode(seen.sample()).sample.float()
        off = redrawn - batch.pixels
        gray = float(off.detach().abs().mean()) * 127.5
        off = off + CHROMA * (off - off.mean(dim=1, keepdim=True))
        weights = batch.weights[:, None]
        difference, squares = (weights * off.abs()).mean(), (weights * off.square()).mean()
        edges = off.diff(dim=-1).abs().mean() + off.diff(dim=-2).abs().mean()
        mean, log_variance = seen.mean.float(), seen.logvar.float()
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
        loss = SQUARES * squares + difference + EDGES * edges + DIVERGENCE * divergence
        return Outcome(loss, {"gray levels": gray, "divergence": float(divergence.detach())})


def batch_of(step: int, *, steps: int = STEPS, stage: int = STAGE) -> VaeBatch:
    """Crops, or in the last steps of `steps` whole pictures."""
    rng = np.random.default_rng([stage, step, STREAM])
    whole = step >= (1 - WHOLE_SHARE) * steps
    scenes = scenes_of(stage, step, WHOLE_ROWS if whole else SCENES, MIX, STREAM)
    pictures, weights = pixels(scenes), weights_of(scenes)
    if whole:
        return VaeBatch(pictures, weights)
    boxes = [
        (row, crop(scene, rng, CROP, CROP)) for row, scene in enumerate(scenes) for _ in range(CROPS_EACH)
    ]
    return VaeBatch(
        torch.stack([pictures[row][:, *box.slices] for row, box in boxes]),
        torch.stack([weights[row][box.slices] for row, box in boxes]),
    )


def weights_of(scenes: list[Scene]) -> Float[Tensor, "row side side"]:
    """THINGS where something is drawn, else 1."""
    drawn = np.stack([masks(scene).any(axis=0) | sign_mask(scene) for scene in scenes])
    return torch.from_numpy(np.where(drawn, THINGS, 1.0).astype(np.float32))


def stages(trainee: VaeTrainee, scale: float) -> list[Stage]:
    """The recipe; `scale` shortens it for trials."""
    steps = math.ceil(STEPS * scale)
    return [Stage("vae", steps, {"vae": RATE}, partial(batch_of, steps=steps), trainee.step)]


def evaluate(trainee: VaeTrainee, scenes: int = 32) -> dict[str, float]:
    """Mean absolute difference of whole balanced pictures and their redrawings, in gray levels of 255."""
    pictures = pixels(scenes_of(CHECKED, 0, scenes, {"balanced": 1.0}, STREAM))
    device = trainee.vae.device
    off = [
        (redraw(trainee.vae, part.to(device)) - part.to(device)).abs().mean() for part in pictures.split(16)
    ]
    return {"gray levels": float(torch.stack(off).mean()) * 127.5}


def redraw(vae: Stock, pictures: Float[Tensor, "row 3 height width"]) -> Float[Tensor, "row 3 height width"]:
    """What the autoencoder makes of pictures, without chance, clipped to [−1, 1]."""
    seen = vae.encode(pictures).latent_dist
    redrawn: Tensor = vae.decode(seen.mode()).sample
    return redrawn.float().clamp(-1, 1)
