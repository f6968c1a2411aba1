"""Three maps of where an answer comes from: attention, occlusion of pixels, and silencing of visual tokens.

All on the same coarse blocks of the picture, so that they compare. Attention is what the answer position looks at, mean
over heads and layers; the other two are how much of the answer's logit is lost without a block. Knows blocks and
peaks; knows nothing about what follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from PIL import Image

from tools.methods.answers import reference_mean, run
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from tools.context import ToolContext

SIDE = 7
"""Blocks along one side of the picture."""
GREY = (128, 128, 128)
METHODS = ("attention", "occlusion", "silencing")


@dataclass(frozen=True, eq=False)
class Placed:
    """A question about a thing, and the pixels that the thing covers."""

    stimulus: Stimulus
    mask: Bool[np.ndarray, "height width"]

    def within(self, block: int) -> bool:
        """Whether the block shows any of the thing."""
        row, column = divmod(block, SIDE)
        height, width = self.mask.shape
        rows = slice(row * height // SIDE, (row + 1) * height // SIDE)
        columns = slice(column * width // SIDE, (column + 1) * width // SIDE)
        return bool(self.mask[rows, columns].any())


class Mapped(NamedTuple):
    """What was said, and by method how much of it comes from each block."""

    said: str
    maps: dict[str, Float[np.ndarray, "block"]]

    def inside(self, placed: Placed, method: str) -> bool:
        """Whether the map's peak shows the thing."""
        return placed.within(int(self.maps[method].argmax()))


def mapped(context: ToolContext, placed: Placed) -> Mapped:
    """The three maps of one answer: 2 × SIDE² + 2 rows through the model."""
    stimulus = placed.stimulus
    plain = run(context, [stimulus], [()])[0]
    said = int(plain.argmax())
    hidden = [_hidden(stimulus, block) for block in range(SIDE * SIDE)]
    occluded = run(context, hidden, [()] * len(hidden))[:, said]
    silenced = _silenced(context, stimulus)[:, said]
    word = str(context.target.processor.tokenizer.decode([said])).strip().lower()
    return Mapped(
        word,
        {
            "attention": _attention(context, stimulus),
            "occlusion": (plain[said] - occluded).double().numpy(),
            "silencing": float(plain[said]) - silenced,
        },
    )


def _hidden(stimulus: Stimulus, block: int) -> Stimulus:
    """The picture with one block grey."""
    width, height = stimulus.image.size
    row, column = divmod(block, SIDE)
    left, top = column * width // SIDE, row * height // SIDE
    size = ((column + 1) * width // SIDE - left, (row + 1) * height // SIDE - top)
    image = stimulus.image.copy()
    image.paste(Image.new("RGB", size, GREY), (left, top))
    return Stimulus(f"{stimulus.key}|grey {block} of {SIDE}", image, stimulus.question, stimulus.answer)


def _silenced(context: ToolContext, stimulus: Stimulus) -> Float[np.ndarray, "block vocabulary"]:
    """Logits where the visual tokens of each block stand at their reference mean."""
    from tools.engine.plan import Intervention, Mean, Plan, Row
    from tools.targets.sites import Site

    site = Site("connector.out")
    mean = Mean(reference_mean(context, site))
    rows = [Row(0, (Intervention(site, None, tokens, mean),)) for tokens in _tokens(context, stimulus)]
    found: Float[np.ndarray, "block vocabulary"]
    found = context.engine.run(Plan([stimulus], rows)).logits.double().cpu().numpy()
    return found


def _tokens(context: ToolContext, stimulus: Stimulus) -> list[tuple[int, ...]]:
    """Visual tokens by the block that holds their center."""
    width, height = stimulus.image.size
    boxes = context.adapter.boxes(width, height).boxes
    rows = ((boxes[:, 1] + boxes[:, 3]) / 2 * SIDE / height).astype(int).clip(0, SIDE - 1)
    columns = ((boxes[:, 0] + boxes[:, 2]) / 2 * SIDE / width).astype(int).clip(0, SIDE - 1)
    blocks = rows * SIDE + columns
    return [tuple(np.flatnonzero(blocks == block).tolist()) for block in range(SIDE * SIDE)]


def _attention(context: ToolContext, stimulus: Stimulus) -> Float[np.ndarray, "block"]:
    from tools.engine.plan import Plan, Row
    from tools.targets.sites import Site

    layers = context.extent.towers["language"].layers
    sites = tuple(Site("attn.pattern", "language", layer) for layer in range(layers))
    outcome = context.engine.run(Plan([stimulus], [Row(0)], sites))
    at = int(outcome.batch.answer[0])
    seen = np.flatnonzero(outcome.batch.visual[0].cpu().numpy())
    weights = np.mean(
        [outcome.reads[site][0, :, at].float().cpu().numpy()[:, seen].mean(axis=0) for site in sites], axis=0
    )
    return np.array([weights[list(tokens)].sum() for tokens in _tokens(context, stimulus)], dtype=np.float64)


def agreement(maps: Sequence[Mapped], one: str, other: str) -> list[float]:
    """Rank correlation of two methods, answer by answer."""
    from tools.methods.attention import spearman

    return [spearman(each.maps[one], each.maps[other]) for each in maps]
