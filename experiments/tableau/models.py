"""The embedded models as stock Hugging Face classes: configurations, tokenizers, processors.

Knows sizes and wiring; knows nothing about training (train/) or committed weights (registry.py). Everything is built
offline and saved with `save_pretrained`, so that a folder of ours loads like any other.
"""

from __future__ import annotations

from typing import Any

import torch
from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordLevel
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPProcessor,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from experiments.tableau.lexicon import END, IMAGE, PAD, START, UNKNOWN, vocabulary
from experiments.tableau.scene import GRID, PATCH, SIDE

FEATURE_LAYER = -2
"""LLaVA reads the vision tower one layer before its end, as LLaVA 1.5 does; that layer feeds the contrastive head."""
VISION_TOKENS = GRID * GRID
PREFIX = 1 + VISION_TOKENS
"""Positions before the question: the start token and the picture."""
VOCABULARY_SIZE = 128
VISION: dict[str, Any] = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 5,
    "num_attention_heads": 4,
    "image_size": SIDE,
    "patch_size": PATCH,
    "hidden_act": "gelu",
    "projection_dim": 96,
}
CONTRASTIVE_TEXT: dict[str, Any] = {
    "vocab_size": VOCABULARY_SIZE,
    "hidden_size": 96,
    "intermediate_size": 192,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "max_position_embeddings": 64,
    "hidden_act": "gelu",
    "projection_dim": 96,
}
DECODER: dict[str, Any] = {
    "vocab_size": VOCABULARY_SIZE,
    "hidden_size": 128,
    "intermediate_size": 288,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
}
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['content'] is string %}{% set parts = [{'type': 'text', 'text': message['content']}] %}"
    "{% else %}{% set parts = message['content'] %}{% endif %}"
    "{% for part in parts %}"
    "{% if part['type'] == 'image' %}<image> {% else %}{{ part['text'] }} {% endif %}"
    "{% endfor %}"
    "{% if message['role'] == 'user' %}: {% else %}</s> {% endif %}"
    "{% endfor %}"
)
"""A question ends with the word `:`; an answer ends with `</s>`."""


def tokenizer(*, ends: bool = False) -> PreTrainedTokenizerFast:
    """One token a word, lower case, `<s>` first; with `ends` also `</s>` last, as contrastive models want it."""
    words = {word: index for index, word in enumerate(vocabulary())}
    core = Tokenizer(WordLevel(words, unk_token=UNKNOWN))
    core.normalizer = normalizers.Lowercase()
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    core.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}" if ends else f"{START} $A",
        special_tokens=[(START, words[START]), (END, words[END])],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token=START,
        eos_token=END,
        pad_token=PAD,
        unk_token=UNKNOWN,
        model_max_length=64 if ends else 512,
        padding_side="right" if ends else "left",
        extra_special_tokens={} if ends else {"image_token": IMAGE},
    )


def _image_processor() -> CLIPImageProcessorPil:
    return CLIPImageProcessorPil(
        do_resize=True,
        size={"height": SIDE, "width": SIDE},
        do_center_crop=False,
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.5, 0.5, 0.5],
    )


def llava_processor() -> LlavaProcessor:
    return LlavaProcessor(
        image_processor=_image_processor(),
        tokenizer=tokenizer(),
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT_TEMPLATE,
    )


def clip_processor() -> CLIPProcessor:
    return CLIPProcessor(image_processor=_image_processor(), tokenizer=tokenizer(ends=True))


def new_clip(seed: int) -> CLIPModel:
    """An untrained contrastive model."""
    ids = _special_ids()
    torch.manual_seed(seed)
    return CLIPModel(
        CLIPConfig(vision_config=dict(VISION), text_config=CONTRASTIVE_TEXT | ids, projection_dim=96)
    )


def new_llava(seed: int) -> LlavaForConditionalGeneration:
    """An untrained generative model; `tableau-llava-random` is this one, never trained."""
    ids = _special_ids()
    torch.manual_seed(seed)
    config = LlavaConfig(
        vision_config={"model_type": "clip_vision_model"} | VISION,
        text_config=LlamaConfig(**DECODER, **ids),
        image_token_index=vocabulary().index(IMAGE),
        image_seq_length=VISION_TOKENS,
        vision_feature_layer=FEATURE_LAYER,
        vision_feature_select_strategy="default",
        tie_word_embeddings=True,
    )
    model = LlavaForConditionalGeneration(config)
    model.generation_config.eos_token_id = ids["eos_token_id"]
    model.generation_config.pad_token_id = ids["pad_token_id"]
    model.generation_config.bos_token_id = ids["bos_token_id"]
    return model


def _special_ids() -> dict[str, Any]:
    words = vocabulary()
    return {
        "pad_token_id": words.index(PAD),
        "bos_token_id": words.index(START),
        "eos_token_id": words.index(END),
    }


def take_vision_tower(llava: LlavaForConditionalGeneration, clip: CLIPModel) -> None:
    """Copies the contrastive model's vision tower into the generative model."""
    llava.model.vision_tower.load_state_dict(clip.vision_model.state_dict())
