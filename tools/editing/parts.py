"""What a diffusers pipeline is made of: its hash, the sizes that it works at, the words that it reads, its siblings.

Knows the names that diffusers gives to parts; knows nothing about running them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from torch import nn

from store.errors import UserError
from tools.editing.signature import CAN_EDIT, Signature
from tools.targets.fingerprint import add_weights, canonical

ENDLESS = 10**6
"""Tokens from which on a tokenizer's limit means that nobody gave it one."""


@dataclass(frozen=True, eq=False)
class Pipelines:
    """What the parts of one pipeline can do, each as a pipeline over the same weights; None where they can't."""

    draw: Any | None
    edit: Any | None
    fill: Any | None

    @classmethod
    def of(cls, given: Any) -> Pipelines:
        """The given one with its siblings. Raises UserError that says what it does when it can't edit."""
        from diffusers import AutoPipelineForImage2Image, AutoPipelineForInpainting, AutoPipelineForText2Image

        job = Signature.read(type(given)).job()
        if job == "edit":
            return cls(None, given, None)
        if job == "fill":
            return cls(None, None, given)
        fill = _sibling(AutoPipelineForInpainting, given)
        if job == "repaint":
            return cls(_sibling(AutoPipelineForText2Image, given), given, fill)
        edit = _sibling(AutoPipelineForImage2Image, given)
        if edit is None and fill is None:
            raise UserError(
                f"`{type(given).__name__}` can't edit: it draws from words alone",
                kind="editor",
                hint=CAN_EDIT,
            )
        return cls(given, edit, fill)


def _sibling(family: Any, given: Any) -> Any | None:
    """The pipeline of another task that the same parts make."""
    try:
        return family.from_pipe(given)
    except ValueError:
        return None


def fingerprint(pipeline: Any) -> str:
    """64 hex digits over the pipeline's class and its parts: configurations, weights by value, vocabularies."""
    digest = hashlib.sha256(type(pipeline).__name__.encode())
    for name, part in sorted(pipeline.components.items()):
        if part is None:
            continue
        digest.update(f"\n{name}:{type(part).__name__}:".encode())
        if hasattr(part, "get_vocab"):
            digest.update(canonical(part.get_vocab()).encode())
        elif hasattr(part, "config"):
            digest.update(canonical(_plain(part.config)).encode())
        elif hasattr(part, "to_dict"):
            digest.update(canonical(part.to_dict()).encode())
        if isinstance(part, nn.Module):
            add_weights(digest, part)
    return digest.hexdigest()


def multiple(pipeline: Any) -> int:
    """Pixels of which both sides of a picture have to be a multiple."""
    processor = getattr(pipeline, "image_processor", None)
    told = getattr(getattr(processor, "config", None), "vae_scale_factor", None)
    return int(told or getattr(pipeline, "vae_scale_factor", None) or 8)


def native_size(pipeline: Any) -> int | None:
    """Pixels of a side for which the pipeline was made; None where it does not say."""
    factor = int(getattr(pipeline, "vae_scale_factor", None) or 8)
    told = getattr(pipeline, "default_sample_size", None)
    for name in ("unet", "transformer"):
        config = getattr(getattr(pipeline, name, None), "config", None)
        told = told or (config.get("sample_size") if config is not None else None)
    return int(told) * factor if isinstance(told, int) else None


def parameters(pipeline: Any) -> int:
    """Weights of all parts."""
    parts = [part for part in pipeline.components.values() if isinstance(part, nn.Module)]
    return sum(weight.numel() for part in parts for weight in part.parameters())


def unread(pipeline: Any, words: str) -> str:
    """Why the pipeline would not read these words whole, as the end of a sentence; "" when it would."""
    if not words.strip():
        return "was given no words"
    readers = [part for part in pipeline.components.values() if hasattr(part, "model_max_length")]
    limits = [(int(reader.model_max_length), reader) for reader in readers]
    if not limits:
        return ""
    limit, reader = max(limits, key=lambda pair: pair[0])
    tokens = len(reader(words).input_ids)
    if tokens > limit < ENDLESS:
        return f"reads {limit} tokens of an instruction, and this one has {tokens}"
    strange = _strange(reader, words)
    return f"does not know the word `{strange}`" if strange else ""


def _strange(reader: Any, words: str) -> str:
    """The first word that becomes the token for unknown words, where a tokenizer has one of its own."""
    unknown = reader.unk_token_id
    if unknown is None or unknown in (reader.eos_token_id, reader.bos_token_id, reader.pad_token_id):
        return ""
    apart = (word for word in words.split() if unknown in reader(word, add_special_tokens=False).input_ids)
    return next(apart, "")


def _plain(config: Any) -> dict[str, Any]:
    return config.to_dict() if hasattr(config, "to_dict") else dict(config)
