"""Pictures as a diffusion editor would give them back if it changed nothing: through its autoencoder, and re-noised.

A verifier meets pictures that a model drew, so it has to be measured on such: what is lost in the squeeze, and what an
editor makes up again when some noise is laid on the latents and taken off in one step, with no instruction. Knows the
parts of an InstructPix2Pix pipeline; knows nothing about edits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image

from experiments.bench.edits import Wear

AT_ONCE = 16


def worn_by(pipeline: Any, strength: float) -> Wear:
    """Wear by the autoencoder, and by noise up to `strength` (0: none, 1: nothing is left) taken off again.

    Raises ValueError for a strength outside [0, 1).
    """
    if not 0 <= strength < 1:
        raise ValueError(f"strength must lie in [0, 1), not {strength}")

    @torch.no_grad()
    def wear(pictures: Sequence[Image.Image], seed: int) -> list[Image.Image]:
        random = torch.Generator().manual_seed(seed)
        found: list[Image.Image] = []
        for start in range(0, len(pictures), AT_ONCE):
            found += _worn(pipeline, pictures[start : start + AT_ONCE], strength, random)
        return found

    return wear


def _worn(
    pipeline: Any, pictures: Sequence[Image.Image], strength: float, random: torch.Generator
) -> list[Image.Image]:
    vae = pipeline.vae
    pixels = torch.from_numpy(np.stack([np.asarray(one.convert("RGB")) for one in pictures]))
    scaled = pixels.permute(0, 3, 1, 2).to(vae.dtype).div(127.5).sub(1).to(vae.device)
    seen = vae.encode(scaled).latent_dist.mode()
    latents = seen * vae.config.scaling_factor
    if strength:
        latents = _renoised(pipeline, seen, latents, strength, random)
    drawn = vae.decode(latents / vae.config.scaling_factor).sample
    back = drawn.float().add(1).mul(127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
    return [Image.fromarray(one) for one in back]


def _renoised(
    pipeline: Any, seen: torch.Tensor, latents: torch.Tensor, strength: float, random: torch.Generator
) -> torch.Tensor:
    """The latents after noise was laid on them and taken off in one step, with an empty instruction."""
    scheduler = pipeline.scheduler
    step = torch.tensor(int(strength * scheduler.config.num_train_timesteps))
    noise = torch.randn(latents.shape, generator=random).to(latents)
    noisy = scheduler.add_noise(latents, noise, step.expand(len(latents)))
    words = pipeline.tokenizer(
        [""] * len(latents),
        padding="max_length",
        max_length=pipeline.tokenizer.model_max_length,
        return_tensors="pt",
    )
    told = pipeline.text_encoder(words.input_ids.to(latents.device))[0]
    guess = pipeline.unet(torch.cat([noisy, seen], dim=1), step.to(latents.device), told).sample
    kept = scheduler.alphas_cumprod[step].to(latents)
    if scheduler.config.prediction_type == "v_prediction":
        return kept.sqrt() * noisy - (1 - kept).sqrt() * guess
    return (noisy - (1 - kept).sqrt() * guess) / kept.sqrt()
