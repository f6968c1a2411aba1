"""Pictures and questions as a LLaVA of this world reads them, and its forward pass, entered at any layer.

Knows the prompt's layout (`<s>`, the picture's tokens, the question's words, `:`) and that the decoder is causal: rows
are padded on the right, and padding can influence nothing before it. Knows nothing about what is measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import LlavaForConditionalGeneration

from experiments.tableau.balanced import Item
from experiments.tableau.lexicon import IMAGE, PAD, START, TURN
from experiments.tableau.models import VISION_TOKENS
from experiments.tableau.scene import Scene
from experiments.tableau.train.batches import IDS, encode, pixels

BATCH = 32
"""Rows that run together; larger ones are no faster on two cores."""


class Stimuli(NamedTuple):
    """A batch: pictures in [−1, 1], token ids, and the position of `:`, where the answer is predicted."""

    pixels: Float[Tensor, "row 3 side side"]
    ids: Int[Tensor, "row position"]
    last: Int[Tensor, "row"]


def stimuli(
    scenes: Sequence[Scene], texts: Sequence[str] | None = None, device: torch.device | str = "cpu"
) -> Stimuli:
    """The pictures with one question each; without texts, the pictures alone (`last` is then the last patch)."""
    picture = [IDS[START]] + [IDS[IMAGE]] * VISION_TOKENS
    tails = [encode(f"{text} {TURN}") for text in texts] if texts is not None else [[] for _ in scenes]
    width = max(map(len, tails))
    ids = torch.tensor([picture + tail + [IDS[PAD]] * (width - len(tail)) for tail in tails])
    last = torch.tensor([len(picture) + len(tail) - 1 for tail in tails])
    return Stimuli(*(part.to(device) for part in (pixels(scenes), ids, last)))


def batches(
    scenes: Sequence[Scene],
    texts: Sequence[str] | None = None,
    device: torch.device | str = "cpu",
    size: int = BATCH,
) -> Iterator[Stimuli]:
    """The same in batches of at most `size` rows, in order."""
    for start in range(0, len(scenes), size):
        rows = slice(start, start + size)
        yield stimuli(scenes[rows], texts[rows] if texts is not None else None, device)


def scenes_of(items: Sequence[Item]) -> list[Scene]:
    """The picture behind every question. Raises ValueError when one has none."""
    scenes = [item.scene for item in items if item.scene is not None]
    if len(scenes) < len(items):
        raise ValueError(f"{len(items) - len(scenes)} of {len(items)} questions have no picture")
    return scenes


def asked(items: Sequence[Item], device: torch.device | str = "cpu", size: int = BATCH) -> Iterator[Stimuli]:
    """Questions with their pictures in batches, in order."""
    return batches(scenes_of(items), [item.text for item in items], device, size)


def embedded(model: LlavaForConditionalGeneration, batch: Stimuli) -> Float[Tensor, "row position width"]:
    """What enters the decoder: word embeddings, and the projected picture in the place of its tokens."""
    words = model.get_input_embeddings()(batch.ids)
    patches = torch.stack(list(model.model.get_image_features(pixel_values=batch.pixels).pooler_output))
    return torch.cat([words[:, :1], patches.to(words.dtype), words[:, 1 + VISION_TOKENS :]], dim=1)


def decode(
    model: LlavaForConditionalGeneration, hidden: Float[Tensor, "row position width"], start: int = 0
) -> list[Float[Tensor, "row position width"]]:
    """Runs decoder layers `start` … on the input of layer `start`: that input, then the output of every layer."""
    decoder = model.model.language_model
    places = torch.arange(hidden.shape[1], device=hidden.device)[None]
    rotary = decoder.rotary_emb(hidden, position_ids=places)
    streams = [hidden]
    for layer in decoder.layers[start:]:
        streams.append(layer(streams[-1], position_ids=places, position_embeddings=rotary))
    return streams


def answer_logits(
    model: LlavaForConditionalGeneration,
    stream: Float[Tensor, "row position width"],
    last: Int[Tensor, "row"],
) -> Float[Tensor, "row word"]:
    """Logits of the answer's first word, from the output of the last layer."""
    at = stream[torch.arange(len(last), device=last.device), last]
    return model.lm_head(model.model.language_model.norm(at))
