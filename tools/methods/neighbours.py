"""Which pictures look alike, whatever the target makes of them: an embedding that is made without it.

With a describer of a closed vocabulary a picture is what the planner's judge sees of each word; otherwise it is a
coarse thumbnail. Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Int
from PIL import Image

if TYPE_CHECKING:
    from tools.context import ToolContext

MOST_WORDS = 256
SIDE = 8
"""Pixels of a thumbnail."""


def embedding(context: ToolContext, numbers: Sequence[int]) -> Float32[np.ndarray, "picture feature"]:
    """What pictures of the planner's split look like, kept for as long as the context lives."""
    missing = [number for number in dict.fromkeys(numbers) if number not in context.memory.embedded]
    if missing:
        images = [context.images.picture(number).image for number in missing]
        words = context.describer.vocabulary()
        rows = (
            context.judge.present(images, words)
            if 0 < len(words) <= MOST_WORDS
            else np.stack([thumbnail(image) for image in images])
        )
        context.memory.embedded.update(zip(missing, rows, strict=True))
    return np.stack([context.memory.embedded[number] for number in numbers])


def nearest(
    queries: Float32[np.ndarray, "query feature"], candidates: Float32[np.ndarray, "candidate feature"]
) -> Int[np.ndarray, "query"]:
    """The candidate at the least Euclidean distance from each query; each candidate is taken once while they last."""
    apart = ((queries[:, None] - candidates[None]) ** 2).sum(-1)
    taken: list[int] = []
    for row in apart:
        free = row.copy()
        if len(taken) < len(candidates):
            free[taken] = np.inf
        taken.append(int(free.argmin()))
    return np.array(taken, dtype=np.intp)


def thumbnail(image: Image.Image) -> Float32[np.ndarray, "feature"]:
    """Colors of a SIDE × SIDE thumbnail, from 0 to 1."""
    small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32).ravel() / 255
