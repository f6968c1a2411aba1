"""BLIP's way from words and picture to an answer: words as tensors, the question read, the answer decoded.

Knows which part calls which; knows nothing about sites.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, cast

import torch
from jaxtyping import Float, Int
from PIL import Image
from torch import Tensor, nn

from tools.targets.target import Target


def answers(
    target: Target, questions: Sequence[str], images: Sequence[Image.Image] | None, max_new_tokens: int
) -> list[str]:
    """The answers to one batch of questions; without pictures `cross` is passed over."""
    model = cast(Any, target.model)
    inputs = encoded_words(target, questions, images)
    with torch.inference_mode():
        seen = None
        if images is not None:
            seen = model.vision_model(pixel_values=inputs["pixel_values"]).last_hidden_state
        question = question_read(model, inputs, seen)
        start = torch.full((len(questions), 1), model.decoder_start_token_id, device=question.device)
        with unpadded(model.text_decoder.bert.encoder.layer, inputs["attention_mask"]):
            tokens = model.text_decoder.generate(
                input_ids=start,
                encoder_hidden_states=question,
                eos_token_id=model.config.text_config.sep_token_id,
                pad_token_id=model.config.text_config.pad_token_id,
                max_new_tokens=max_new_tokens,
                do_sample=False,
            )
    decoded = target.processor.tokenizer.batch_decode(tokens[:, 1:], skip_special_tokens=True)
    return [text.strip() for text in decoded]


def encoded_words(
    target: Target, questions: Sequence[str], images: Sequence[Image.Image] | None
) -> dict[str, Tensor]:
    """Tensors for the model, padded on the right."""
    pictures = {} if images is None else {"images": [image.convert("RGB") for image in images]}
    tensors = target.processor(
        text=list(questions), **pictures, padding=True, padding_side="right", return_tensors="pt"
    )
    return dict(tensors.to(target.device, target.model.dtype))


def question_read(
    model: Any, inputs: dict[str, Tensor], seen: Float[Tensor, "row patch width"] | None
) -> Float[Tensor, "row position width"]:
    """The question as the encoder leaves it."""
    return model.text_encoder(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        encoder_hidden_states=seen,
    ).last_hidden_state


@contextmanager
def unpadded(layers: Any, real: Int[Tensor, "row position"]) -> Iterator[None]:
    """Keeps the decoder from looking at padding of the question: transformers makes the mask that says so, and loses it
    on the way to the cross-attention, so that a row's answer would hang on the length of the others' questions."""
    number = layers[0].crossattention.self.query.weight.dtype
    masked = torch.zeros(real.shape, device=real.device, dtype=number)
    masked = masked.masked_fill(real == 0, torch.finfo(number).min)

    def give(_: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        return given, named | {"encoder_attention_mask": masked[:, None, None]}

    with ExitStack() as undo:
        for layer in layers:
            attention = layer.crossattention.self
            undo.callback(attention.register_forward_pre_hook(give, with_kwargs=True).remove)
        yield
