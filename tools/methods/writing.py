"""What a component writes at the answer position, as words: through final norm and unembedding, on given questions.

Knows output rows and what heads read out; knows nothing about what anybody makes of it. The norm scales a row as a
whole, so that it can't change which of two words is favored. Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from store.address import Address
from tools.methods.answers import Asked
from tools.scoring.sign_accuracy import favors, shuffled
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from torch import Tensor

    from tools.context import ToolContext


class Written(NamedTuple):
    """What a head adds by itself to each answer's logit, question by question; `right` is the right one's place."""

    logits: Float[np.ndarray, "row option"]
    right: Int[np.ndarray, "row"]

    @property
    def favor(self) -> Float[np.ndarray, "row"]:
        """The right answer's logit less the mean of the others'."""
        return favors(self.logits, self.right)

    def by_chance(self, sign: int = 1) -> float:
        """Share of rows that this head would favor (sign 1) or disfavor (−1), were the answers shuffled."""
        return shuffled(self.logits, self.right, sign)


def written(context: ToolContext, address: Address, questions: Asked) -> Written:
    """A language head's direct effect on the answers to questions of one kind."""
    row = context.adapter.output_row(address).detach().float().cpu()
    name = f"{questions.kind} {len(questions.stimuli)}"
    logits = word_logits(context, read_out(context, address, name, questions.stimuli) @ row)
    places = {token: place for place, token in enumerate(questions.options)}
    return Written(logits[:, questions.options], np.array([places[token] for token in questions.right]))


def read_out(
    context: ToolContext, address: Address, name: str, stimuli: Sequence[Stimulus]
) -> Float[Tensor, "stimulus width"]:
    """What a head reads out (`attn.z`) at the answer position. All heads of the layer are read at once, and kept under
    `name` for the next one."""
    import torch

    from tools.targets.sites import site_of

    site, head = site_of(address)
    kept, key = context.memory.means, f"{site} | {name}"
    if key not in kept:
        with context.shared():
            outcome = context.engine.plain(stimuli, (site,))
        rows = torch.arange(len(stimuli), device=outcome.batch.answer.device)
        kept[key] = outcome.reads[site][rows, outcome.batch.answer].float().cpu()
    return kept[key][:, context.adapter.tap(site).part(head)]


def word_logits(context: ToolContext, vectors: Float[Tensor, "row width"]) -> Float[np.ndarray, "row word"]:
    """Final norm and unembedding of directions brought to a root mean square of 1."""
    import torch

    scaled = vectors / vectors.pow(2).mean(dim=-1, keepdim=True).sqrt().clamp(min=1e-12)
    with torch.inference_mode():
        weight = context.target.model.dtype
        return (
            context.adapter.unembed(scaled.to(context.target.device, weight)).float().cpu().double().numpy()
        )
