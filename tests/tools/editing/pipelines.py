"""Tiny untrained diffusion pipelines of stock parts, made offline: 64 px, a VAE of factor 8, four steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxKontextPipeline,
    FluxTransformer2DModel,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image
from transformers import (
    CLIPConfig,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPVisionConfig,
    T5Config,
    T5EncoderModel,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from tests.tiny import WORDS, tokenizer
from tools.editing.backend import Settings

LATENT, READ = 4, 16
CHANNELS = {
    StableDiffusionInstructPix2PixPipeline: 2 * LATENT,
    StableDiffusionImg2ImgPipeline: LATENT,
    StableDiffusionInpaintPipeline: 2 * LATENT + 1,
    StableDiffusionPipeline: LATENT,
}
"""Input channels of the UNet that each pipeline wants."""
FEW = Settings(steps=4, drawing="{}")


def tiny(kind: Any, *, seed: int = 0, **more: Any) -> Any:
    """An untrained pipeline of that class; the global seed is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        parts = {
            "unet": unet(CHANNELS[kind]),
            "vae": vae(),
            "text_encoder": reader(),
            "tokenizer": short_tokenizer(),
            "scheduler": DDIMScheduler(clip_sample=False, steps_offset=1),
            "safety_checker": None,
            "feature_extractor": None,
            "requires_safety_checker": False,
        }
        return kind(**parts | more)


def tiny_kontext() -> Any:
    """An untrained FLUX Kontext: a transformer over patches, two readers, one picture at a time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return FluxKontextPipeline(
            scheduler=FlowMatchEulerDiscreteScheduler(),
            vae=vae(shift_factor=0.0),
            text_encoder=reader(),
            tokenizer=short_tokenizer(),
            text_encoder_2=T5EncoderModel(
                T5Config(vocab_size=len(WORDS), d_model=16, d_kv=8, d_ff=24, num_layers=1, num_heads=2)
            ),
            tokenizer_2=short_tokenizer(),
            transformer=FluxTransformer2DModel(
                patch_size=1,
                in_channels=4 * LATENT,
                num_layers=1,
                num_single_layers=1,
                attention_head_dim=16,
                num_attention_heads=2,
                joint_attention_dim=16,
                pooled_projection_dim=16,
                axes_dims_rope=(4, 4, 8),
                guidance_embeds=True,
            ),
        )


def unet(channels: int) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=channels,
        out_channels=LATENT,
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=4,
        norm_num_groups=4,
    )


def vae(**more: Any) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        layers_per_block=1,
        latent_channels=LATENT,
        norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        **more,
    )


def reader() -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            hidden_size=16,
            intermediate_size=24,
            num_hidden_layers=2,
            num_attention_heads=2,
            vocab_size=len(WORDS),
            max_position_embeddings=READ,
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=0,
        )
    )


def short_tokenizer() -> Any:
    words = tokenizer()
    words.model_max_length = READ
    return words


def strict_filter() -> dict[str, Any]:
    """The parts of a safety filter that takes every picture away."""
    sight = CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
    )
    checker = StableDiffusionSafetyChecker(CLIPConfig(vision_config=sight.to_dict(), projection_dim=12))
    checker.concept_embeds_weights.data.fill_(-10)
    side = {"height": 28, "width": 28}
    return {
        "safety_checker": checker,
        "feature_extractor": CLIPImageProcessorPil(size=side, crop_size=side, do_center_crop=False),
        "requires_safety_checker": True,
    }


def noise(*sizes: tuple[int, int], seed: int = 0) -> list[Image.Image]:
    """Pictures of random pixels, of these (width, height)."""
    random = np.random.default_rng(seed)
    return [
        Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8))
        for width, height in sizes
    ]


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image, dtype=int)


def squares(count: int) -> list[Image.Image]:
    return noise(*[(64, 64)] * count)


def words(count: int) -> Sequence[str]:
    """`count` instructions of words that the tiny tokenizer knows."""
    known = ("what color is the star", "the star is blue", "red circle", "the circle is red")
    return [known[place % len(known)] for place in range(count)]
