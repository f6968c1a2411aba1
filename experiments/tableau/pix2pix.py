"""The embedded editor's parts as stock diffusers and transformers classes: configurations and the tokenizer.

Knows sizes and wiring; knows nothing about training (train/vae.py, train/unet.py) or committed weights. The folder that
comes of it loads with `DiffusionPipeline.from_pretrained`, as any editor of InstructPix2Pix's kind does (Brooks et al.
2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DiffusionPipeline,
    StableDiffusionInstructPix2PixPipeline,
    UNet2DConditionModel,
)
from PIL import Image
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordLevel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, PreTrainedTokenizerFast

from experiments.tableau.lexicon import END, PAD, START, UNKNOWN, vocabulary
from experiments.tableau.models import CONTRASTIVE_TEXT
from experiments.tableau.scene import SIDE
from store.errors import UserError

Stock = Any
"""An object of diffusers, which comes without types."""
LATENT_CHANNELS = 8
SHRINKS = 8
"""Pixels that one latent cell stands for, along each side."""
CELLS = SIDE // SHRINKS
"""Latent cells along one side."""
NOISE_LEVELS = 1000
WORDS_AT_MOST = 32
"""Tokens of an instruction, the first and the last one included; what is longer is cut off."""
VOCABULARY_SIZE = 160
VERBS = (
    "make turn into change to color paint remove delete take away erase add put in draw picture image it everything "
    "use give set upper lower and all every"
).split()
"""Words of instructions that captions and questions do not need."""


def new_vae(seed: int, channels: tuple[int, int, int, int] = (16, 32, 64, 64)) -> Stock:
    """An untrained autoencoder. Without attention it sees only near by, so that it can be trained on crops.

    Norms are over half of the channels at once: what they leave out, the level of few channels, would be the color.
    """
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
        scaling_factor=1.0,
    )


def new_unet(seed: int, channels: tuple[int, int] = (64, 112)) -> Stock:
    """An untrained denoiser over the noisy latents and, as further channels, those of the picture to be edited."""
    torch.manual_seed(seed)
    return UNet2DConditionModel(
        sample_size=CELLS,
        in_channels=2 * LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        mid_block_type=None,
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=channels,
        layers_per_block=1,
        norm_num_groups=16,
        cross_attention_dim=CONTRASTIVE_TEXT["hidden_size"],
        attention_head_dim=4,
    )


def new_text_encoder(seed: int) -> CLIPTextModel:
    """An untrained reader of instructions, of the sizes of `tableau-clip`'s."""
    torch.manual_seed(seed)
    words = list(_words())
    sizes: dict[str, Any] = CONTRASTIVE_TEXT | {
        "vocab_size": VOCABULARY_SIZE,
        "max_position_embeddings": WORDS_AT_MOST,
        "pad_token_id": words.index(PAD),
        "bos_token_id": words.index(START),
        "eos_token_id": words.index(END),
    }
    return CLIPTextModel(CLIPTextConfig(**sizes))


def take_text_tower(encoder: nn.Module, tower: nn.Module) -> None:
    """Starts the reader of instructions from the contrastive model's text tower, whose words it shares."""
    known = tower.state_dict()
    for name, mine in encoder.state_dict().items():
        rows = len(vocabulary()) if "token_embedding" in name else len(mine)
        mine[:rows].copy_(known[name][:rows])


def instruction_tokenizer() -> PreTrainedTokenizerFast:
    """One token a word, in lower case and without punctuation, between `<s>` and `</s>`."""
    words = {word: index for index, word in enumerate(_words())}
    core = Tokenizer(WordLevel(words, unk_token=UNKNOWN))
    core.normalizer = normalizers.Sequence(
        [normalizers.Lowercase(), normalizers.Replace(Regex(r"[^\w\s]+"), " ")]
    )
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    core.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=[(START, words[START]), (END, words[END])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token=START,
        eos_token=END,
        pad_token=PAD,
        unk_token=UNKNOWN,
        model_max_length=WORDS_AT_MOST,
        padding_side="right",
    )


def _words() -> tuple[str, ...]:
    """The world's words in its own order, then those that only instructions need."""
    return tuple(dict.fromkeys((*vocabulary(), *VERBS)))


def noise_scheduler() -> Stock:
    """Levels of noise from almost none to nothing but noise, where a drawing starts (Lin et al. 2024)."""
    return DDIMScheduler(
        num_train_timesteps=NOISE_LEVELS,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=0,
    )


def pipeline_of(vae: Stock, unet: Stock, text_encoder: CLIPTextModel) -> Stock:
    """The parts as one stock pipeline, without a safety checker."""
    return StableDiffusionInstructPix2PixPipeline(
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=instruction_tokenizer(),
        unet=unet,
        scheduler=noise_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


class Guidance(NamedTuple):
    """How an edit is made: steps of denoising, and the pull of the words and of the picture (1 = none)."""

    steps: int = 20
    words: float = 2.0
    picture: float = 1.5


def edited(
    pipeline: Stock,
    guidance: Guidance,
    pictures: Sequence[Image.Image],
    instructions: Sequence[str],
    seeds: Sequence[int],
) -> list[Image.Image]:
    """Pictures of one size after an instruction each; the same seed gives the same picture."""
    made: list[Image.Image] = pipeline(
        list(instructions),
        list(pictures),
        num_inference_steps=guidance.steps,
        guidance_scale=guidance.words,
        image_guidance_scale=guidance.picture,
        generator=[torch.Generator().manual_seed(seed) for seed in seeds],
    ).images
    return made


@torch.no_grad()
def redrawn(pipeline: Stock, pictures: Sequence[Image.Image]) -> list[Image.Image]:
    """Pictures of one size passed through the editor's autoencoder alone."""
    seen = pipeline.vae.encode(pipeline.image_processor.preprocess(list(pictures)).to(pipeline.device))
    made: list[Image.Image] = pipeline.image_processor.postprocess(
        pipeline.vae.decode(seen.latent_dist.mode()).sample
    )
    return made


def open_pipeline(folder: Path, device: str = "cpu") -> Stock:
    """A saved editor, in full precision and without a progress bar. Raises UserError where there is none."""
    if not (folder / "model_index.json").is_file():
        raise UserError(
            f"`{folder / 'model_index.json'}` does not exist",
            kind="missing_weights",
            hint="train the editor with `python -m experiments.tableau.train pix2pix` and export it",
        )
    pipeline: Stock = DiffusionPipeline.from_pretrained(folder, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)
