"""The embedded editor's parts as stock diffusers and transformers classes: configurations and the tokenizer.

Knows sizes and wiring; knows nothing about training (train/vae.py, train/unet.py) or committed weights. The folder that
comes of it loads with `DiffusionPipeline.from_pretrained`, as any editor of InstructPix2Pix's kind does (Brooks et al.
2023).
"""

from __future__ import annotations

import torch
from diffusers import AutoencoderKL

from experiments.tableau.scene import SIDE

LATENT_CHANNELS = 8
SHRINKS = 8
"""Pixels that one latent cell stands for, along each side."""


def new_vae(seed: int, channels: tuple[int, int, int, int] = (16, 32, 64, 64)) -> AutoencoderKL:
    """An untrained autoencoder. Without attention it sees only near by, so that it can be trained on crops."""
    torch.manual_seed(seed)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=channels,
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=2,
        sample_size=SIDE,
        mid_block_add_attention=False,
    )
