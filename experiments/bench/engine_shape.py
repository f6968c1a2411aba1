"""A model of LLaVA's shape with weights of chance, to time engines on: 576 visual tokens, a question of any length.

Stock classes and a processor made offline. Knows sizes; knows nothing about what is timed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer, pre_tokenizers, processors
from tokenizers.models import WordLevel
from transformers import (
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from tools.stimuli import Stimulus
from tools.targets.target import Target

SIDE, PATCH = 336, 14
"""Pixels of a picture's side and of a patch's, as in LLaVA 1.5: 576 patches."""
WORDS = ("<pad>", "<s>", "</s>", "<unk>", "<image>", *(f"w{number}" for number in range(59)))
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image> {% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endfor %}"
)


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the decoder; the vision tower has `seeing` layers of half the width."""

    name: str
    width: int
    neurons: int
    layers: int
    heads: int
    seeing: int = 4
    words: int = 32
    """Text tokens, the start token among them."""

    def as_json(self) -> dict[str, int | str]:
        return asdict(self)


NARROW = Shape("narrow", 64, 176, 8, 8)
"""So small that calls cost more than arithmetic."""
WIDE = Shape("wide", 256, 704, 24, 16)
"""Wide enough for arithmetic to rule on two cores; with as many heads as make a sweep worth it."""
SEVEN_BILLION = Shape("7B", 4096, 11008, 32, 32, seeing=24)
"""LLaVA 1.5's decoder."""


def shaped(shape: Shape, *, device: str = "cpu", dtype: torch.dtype = torch.float32, seed: int = 0) -> Target:
    """An untrained model of the shape, ready to be asked."""
    torch.manual_seed(seed)
    text = LlamaConfig(
        vocab_size=len(WORDS),
        hidden_size=shape.width,
        intermediate_size=shape.neurons,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        max_position_embeddings=1024,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        tie_word_embeddings=False,
    )
    half = max(shape.width // 2, 32)
    config = LlavaConfig(
        vision_config={
            "model_type": "clip_vision_model",
            "hidden_size": half,
            "intermediate_size": 4 * half,
            "num_hidden_layers": shape.seeing,
            "num_attention_heads": max(half // 64, 1),
            "image_size": SIDE,
            "patch_size": PATCH,
            "projection_dim": half,
        },
        text_config=text,
        image_token_index=WORDS.index("<image>"),
        image_seq_length=(SIDE // PATCH) ** 2,
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
        tie_word_embeddings=False,
    )
    with torch.device(device):
        before = torch.get_default_dtype()
        torch.set_default_dtype(dtype)
        try:
            model = LlavaForConditionalGeneration(config).eval()
        finally:
            torch.set_default_dtype(before)
    return Target(f"shape-{shape.name}", "llava", model, _processor())


def questions(shape: Shape, pictures: int = 2, seed: int = 0) -> list[Stimulus]:
    """The same words behind pictures of noise."""
    rng = np.random.default_rng(seed)
    words = " ".join(f"w{number % 59}" for number in range(shape.words - 1))
    return [
        Stimulus(
            f"noise-{number}", Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)), words
        )
        for number in range(pictures)
    ]


def _processor() -> LlavaProcessor:
    core = Tokenizer(WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    core.post_processor = processors.TemplateProcessing(single="$A", special_tokens=[])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        padding_side="left",
        extra_special_tokens={"image_token": "<image>"},
    )
    pixels = CLIPImageProcessorPil(do_resize=True, size={"height": SIDE, "width": SIDE}, do_center_crop=False)
    return LlavaProcessor(
        image_processor=pixels,
        tokenizer=tokenizer,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=TEMPLATE,
    )
