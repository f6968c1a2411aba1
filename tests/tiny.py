"""Tiny untrained models with their processors, made offline and saved the way real ones are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from transformers import (
    BlipConfig,
    BlipForQuestionAnswering,
    BlipProcessor,
    CLIPConfig,
    CLIPModel,
    CLIPProcessor,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaNextConfig,
    LlavaNextForConditionalGeneration,
    LlavaNextProcessor,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
)
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

SIDE, PATCH = 28, 14
WORDS = "<pad> <s> </s> <unk> <image> what color shape is the star circle red blue ?".split()
TEMPLATE = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image> {% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endfor %}"
)


def save_llava(folder: Path, *, seed: int = 0, template: str | None = TEMPLATE) -> Path:
    """An untrained LLaVA of 2 vision and 2 language layers, 4 visual tokens."""
    config = LlavaConfig(vision_config=_vision(), text_config=_text(), **_joint())
    processor = LlavaProcessor(
        image_processor=_pictures(CLIPImageProcessorPil), tokenizer=tokenizer(), **_placeholders(template)
    )
    return _save(folder, LlavaForConditionalGeneration, config, processor, seed)


def save_llava_next(folder: Path, *, seed: int = 0) -> Path:
    """The same with LLaVA-NeXT's tiles."""
    config = LlavaNextConfig(
        vision_config=_vision(), text_config=_text(), image_grid_pinpoints=[[28, 56], [56, 28]], **_joint()
    )
    pictures = _pictures(LlavaNextImageProcessorPil, image_grid_pinpoints=[[28, 56], [56, 28]])
    processor = LlavaNextProcessor(image_processor=pictures, tokenizer=tokenizer(), **_placeholders(TEMPLATE))
    return _save(folder, LlavaNextForConditionalGeneration, config, processor, seed)


def save_clip(folder: Path, *, seed: int = 0) -> Path:
    """An untrained CLIP with the same vision tower."""
    text = {
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "vocab_size": len(WORDS),
        "eos_token_id": 2,
    }
    config = CLIPConfig(vision_config=_vision().to_dict(), text_config=text, projection_dim=12)
    processor = CLIPProcessor(image_processor=_pictures(CLIPImageProcessorPil), tokenizer=tokenizer())
    return _save(folder, CLIPModel, config, processor, seed)


def save_qwen(folder: Path, *, seed: int = 0) -> Path:
    """An untrained Qwen2.5-VL of 3 vision layers (the second without windows), 9 visual tokens in 4 windows."""
    vision = {
        "depth": 3,
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_heads": 2,
        "patch_size": 4,
        "window_size": 16,
        "out_hidden_size": 24,
        "fullatt_block_indexes": [1],
    }
    text = _text().to_dict() | {"rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 1]}}
    text.pop("model_type")
    config = Qwen2_5_VLConfig(
        vision_config=vision,
        text_config=text,
        image_token_id=WORDS.index("<image>"),
        video_token_id=len(WORDS),
        vision_start_token_id=len(WORDS),
        vision_end_token_id=len(WORDS),
    )
    pictures = Qwen2VLImageProcessorPil(
        patch_size=4, merge_size=2, size={"shortest_edge": 16**2, "longest_edge": 24**2}
    )
    words = tokenizer()
    words.chat_template = TEMPLATE
    words.save_pretrained(folder)
    return _save(folder, Qwen2_5_VLForConditionalGeneration, config, pictures, seed)


def save_blip(folder: Path, *, seed: int = 0) -> Path:
    """An untrained BLIP for questions: 3 vision layers, 2 of the question's encoder and 2 of the answer's decoder."""
    text = {
        "hidden_size": 16,
        "intermediate_size": 28,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "vocab_size": len(WORDS),
        "max_position_embeddings": 32,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "sep_token_id": 2,
        "pad_token_id": 0,
    }
    seen = _vision().to_dict() | {"model_type": "blip_vision_model"}
    config = BlipConfig(text_config=text, vision_config=seen)
    side = {"height": SIDE, "width": SIDE}
    processor = BlipProcessor(image_processor=BlipImageProcessorPil(size=side), tokenizer=tokenizer())
    return _save(folder, BlipForQuestionAnswering, config, processor, seed)


def tokenizer() -> PreTrainedTokenizerFast:
    words = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = WhitespaceSplit()
    words.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", WORDS.index("<s>"))])
    return PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        extra_special_tokens={"image_token": "<image>"},
    )


def _save(folder: Path, model: Any, config: Any, processor: Any, seed: int) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model(config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _vision() -> CLIPVisionConfig:
    return CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=3,
        num_attention_heads=2,
        image_size=SIDE,
        patch_size=PATCH,
    )


def _text() -> LlamaConfig:
    return LlamaConfig(
        hidden_size=24,
        intermediate_size=28,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=len(WORDS),
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )


def _joint() -> dict[str, Any]:
    return {
        "image_token_id": WORDS.index("<image>"),
        "vision_feature_layer": -2,
        "tie_word_embeddings": False,
    }


def _pictures(processor: Any, **more: Any) -> Any:
    side = {"height": SIDE, "width": SIDE}
    return processor(size=side, crop_size=side, do_center_crop=False, **more)


def _placeholders(template: str | None) -> dict[str, Any]:
    return {
        "patch_size": PATCH,
        "vision_feature_select_strategy": "default",
        "num_additional_image_tokens": 1,
        "chat_template": template,
    }
