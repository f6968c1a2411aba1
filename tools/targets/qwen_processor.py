"""What turns words and pictures into tensors for Qwen2.5-VL, without the video processor that its own one asks for.

Every picture is stretched to one square, as CLIP's processors do: all pictures then give equally many visual tokens in
the same grid, so that rows compare token by token. The square is the largest of at most MOST tokens inside the pixel
budget of the image processor. Knows nothing about models.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import AutoTokenizer, BatchFeature
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

MOST = 256
"""Visual tokens of a picture at most; their own default of 1280 makes attention patterns that fit nowhere."""
IMAGE_TOKEN = "<|image_pad|>"


class QwenProcessor:
    """`cell` is the side in pixels of what one visual token covers, `side` that of the square, `grid` tokens a side."""

    def __init__(self, tokenizer: Any, image_processor: Qwen2VLImageProcessorPil) -> None:
        self.tokenizer = tokenizer
        self.image_processor = image_processor
        self.image_token: str = getattr(tokenizer, "image_token", None) or IMAGE_TOKEN
        self.chat_template = tokenizer.chat_template
        self.cell = int(image_processor.patch_size * image_processor.merge_size)
        self.grid = _cells(image_processor.size, self.cell)
        self.side = self.grid * self.cell

    def apply_chat_template(self, messages: Any, **options: Any) -> Any:
        """The prompt of a conversation."""
        return self.tokenizer.apply_chat_template(messages, **options)

    def __call__(
        self, *, text: Sequence[str], images: Sequence[Sequence[Image.Image]] | None = None, **options: Any
    ) -> BatchFeature:
        """Tensors for the model: one placeholder in each text, a picture for each of them; pixels lie one picture
        behind another [picture·patch value]."""
        pixels: dict[str, Any] = {}
        prompts = list(text)
        if images is not None:
            flat = [self._square(picture) for one in images for picture in one]
            pixels = dict(self.image_processor(images=flat, return_tensors="pt"))
            repeated = self.image_token * self.grid**2
            prompts = [prompt.replace(self.image_token, repeated) for prompt in prompts]
        words = self.tokenizer(prompts, **options)
        token = self.tokenizer.convert_tokens_to_ids(self.image_token)
        kinds = (torch.as_tensor(words["input_ids"]) == token).int()
        return BatchFeature({**words, **pixels, "mm_token_type_ids": kinds})

    def save_pretrained(self, folder: str | Path) -> None:
        """Writes what `open_processor` reads."""
        self.tokenizer.save_pretrained(folder)
        self.image_processor.save_pretrained(folder)

    def _square(self, picture: Image.Image) -> Image.Image:
        return picture.convert("RGB").resize((self.side, self.side), Image.Resampling.BICUBIC)


def open_processor(source: str) -> QwenProcessor:
    """The processor in a folder or of a hub id. Raises OSError or ValueError where there is none."""
    return QwenProcessor(
        AutoTokenizer.from_pretrained(source), Qwen2VLImageProcessorPil.from_pretrained(source)
    )


def _cells(size: Any, cell: int) -> int:
    """Visual tokens a side. `size` tells the budget, in pixels of a whole picture."""
    least, most = (int(size[name]) for name in ("shortest_edge", "longest_edge"))
    side = math.isqrt(min(most, MOST * cell**2)) // cell
    return max(side, math.ceil(math.sqrt(least) / cell), 1)
