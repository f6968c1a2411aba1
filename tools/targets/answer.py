"""Asking a target: questions and pictures in, words out, by greedy generation in padded batches.

Knows the processor's chat template and padding; knows nothing about what a right answer is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from PIL import Image

from store.errors import UserError
from tools.targets.families import family_of, part
from tools.targets.target import Target

PLAIN_TEMPLATE = "USER: {image}{question} ASSISTANT:"
"""LLaVA 1.5's wording, for processors that were saved without a chat template."""


def answer(
    target: Target,
    questions: Sequence[str],
    images: Sequence[Image.Image] | None = None,
    *,
    max_new_tokens: int = 16,
    batch_size: int = 32,
) -> list[str]:
    """The answer to each question about its picture, or without any picture when `images` is None.

    Rows do not influence one another beyond floating-point noise (padding is masked). Raises UserError for a target
    that gives no words, and ValueError when questions and pictures do not pair up.
    """
    if not target.model.can_generate():
        raise UserError(
            f"`{target.name}` compares pictures with texts and gives no words",
            kind="no_words",
            hint="ask a target that answers questions, such as one of the llava family",
        )
    if images is not None and len(images) != len(questions):
        raise ValueError(f"{len(questions)} questions need as many pictures, got {len(images)}")
    own = family_of(target.family, target.name).answers
    one_batch = part(own) if own else _batch
    answers: list[str] = []
    for start in range(0, len(questions), batch_size):
        rows = slice(start, start + batch_size)
        answers += one_batch(
            target, questions[rows], images[rows] if images is not None else None, max_new_tokens
        )
    return answers


def prompt(target: Target, question: str, *, with_image: bool) -> str:
    """The text that the target reads for one question, with the picture's placeholder in it."""
    if not getattr(target.processor, "chat_template", None):
        image = f"{target.processor.image_token}\n" if with_image else ""
        return PLAIN_TEMPLATE.format(image=image, question=question)
    content: list[dict[str, str]] = [{"type": "image"}] if with_image else []
    content.append({"type": "text", "text": question})
    text: str = target.processor.apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
    )
    return text


def encode(target: Target, prompts: Sequence[str], images: Sequence[Image.Image] | None) -> Any:
    """Tensors for the model, padded on the left so that every row ends where its answer begins.

    A start token that the chat template has written already is not added a second time.
    """
    start = target.processor.tokenizer.bos_token
    started = start is not None and all(text.startswith(start) for text in prompts)
    pictures = {} if images is None else {"images": [[image] for image in images]}
    tensors = target.processor(
        text=list(prompts),
        **pictures,
        padding=True,
        padding_side="left",
        add_special_tokens=not started,
        return_tensors="pt",
    )
    return tensors.to(target.device, target.model.dtype)


def _batch(
    target: Target, questions: Sequence[str], images: Sequence[Image.Image] | None, max_new_tokens: int
) -> list[str]:
    prompts = [prompt(target, question, with_image=images is not None) for question in questions]
    inputs = encode(target, prompts, images)
    tokenizer = target.processor.tokenizer
    generate = cast(Any, target.model).generate
    with torch.inference_mode():
        tokens = generate(
            **inputs, max_new_tokens=max_new_tokens, do_sample=False, pad_token_id=_pad_token(tokenizer)
        )
    written = tokens[:, inputs["input_ids"].shape[1] :]
    return [text.strip() for text in tokenizer.batch_decode(written, skip_special_tokens=True)]


def _pad_token(tokenizer: Any) -> int:
    return int(tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id)
