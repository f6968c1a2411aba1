"""Integrated gradients over visual tokens: what each token of a picture adds to one word's logit.

Sundararajan, Taly and Yan 2017, eq. 3, along the straight way from the mean visual token to the picture's own, taken at
the middles of equal steps where the tokens enter the decoder. Knows taps and gradients; what is done with the tokens is
the caller's. Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from torch import Tensor

    from tools.engine.engine import Engine
    from tools.engine.plan import Mean
    from tools.targets.batch import Batch

AT_ONCE = 16
STEPS = 32


class Attribution(NamedTuple):
    """What each token adds to the word's logit; `missing` is the part of the whole difference that they leave out, as
    a share of it."""

    tokens: Float[np.ndarray, "token"]
    missing: float


def integrated(
    engine: Engine,
    stimuli: Sequence[Stimulus],
    words: Sequence[int],
    mean: Mean,
    steps: int = STEPS,
) -> list[Attribution]:
    """One for each stimulus; `words` are the tokens whose logits are explained."""
    found: list[Attribution] = []
    for start in range(0, len(stimuli), AT_ONCE):
        block = slice(start, start + AT_ONCE)
        found += _integrated(engine, stimuli[block], words[block], mean, steps)
    return found


def _integrated(
    engine: Engine, stimuli: Sequence[Stimulus], words: Sequence[int], mean: Mean, steps: int
) -> list[Attribution]:
    import torch

    from tools.engine.gradients import BACKWARD
    from tools.targets.batch import CLASSES

    with torch.no_grad():
        batch = engine.adapter.encoded(engine.adapter.batch(list(stimuli)))
    base = mean.means[CLASSES.index("visual")]
    ends = [_at(engine, batch, words, base, share).logits for share in (0.0, 1.0)]
    total: Tensor | None = None
    for step in range(steps):
        here = _at(engine, batch, words, base, (step + 0.5) / steps, slope=True)
        total = here.slope if total is None else total + here.slope
    assert total is not None
    own = _at(engine, batch, words, base, 1.0).stream
    each = ((own - base.to(own)) * total / steps).sum(-1).double().cpu().numpy()
    engine.forwards += len(stimuli) * (3 + steps * (1 + BACKWARD))
    visual = batch.visual.cpu().numpy()
    gap = (ends[1] - ends[0]).double().cpu().numpy()
    found = []
    for row, where in enumerate(visual):
        tokens = each[row, where]
        missing = abs(tokens.sum() - gap[row]) / max(abs(gap[row]), 1e-6)
        found.append(Attribution(tokens, float(missing)))
    return found


class _Point(NamedTuple):
    """One place on the way: the words' logits, the stream there, and the logits' slope along it."""

    logits: Tensor
    stream: Tensor
    slope: Tensor


def _at(
    engine: Engine, batch: Batch, words: Sequence[int], base: Tensor, share: float, *, slope: bool = False
) -> _Point:
    """`share` of the way from the base (0) to the picture's own tokens (1)."""
    import torch

    from tools.engine.hooks import hooked
    from tools.targets.sites import Site

    kept: list[Tensor] = []

    def touch(tensor: Tensor) -> Tensor:
        point = tensor.detach().clone()
        own = point[batch.visual]
        point[batch.visual] = base.to(own) + share * (own - base.to(own))
        kept.append(point.requires_grad_(slope))
        return kept[0] + 0

    with torch.set_grad_enabled(slope), hooked([(engine.adapter.tap(Site("embed")), touch)]):
        logits = engine.adapter.forward(batch)
    own = logits[torch.arange(len(words)), torch.as_tensor(list(words), device=logits.device)]
    taken = torch.autograd.grad(own.sum(), kept)[0] if slope else torch.zeros_like(kept[0])
    return _Point(own.detach(), kept[0].detach(), taken.detach())
