"""How strong a push must be to move answers by a stated KL divergence (nats), found on a few questions.

Knows divergences and a search over doses; knows nothing about what is pushed. The divergence of a small push grows with
the square of its dose and levels off for a large one, so the search steps by that law and halves the bracket in
logarithms where it fails. Not a tool.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log, sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    from torch import Tensor

STEPS = 10
"""Doses that are tried, at most."""
CLOSE = 0.12
"""Difference in logarithms below which a divergence counts as reached."""
FARTHEST = 8.0
"""Factor by which a dose grows or shrinks from one trial to the next, at most."""


class Dose(NamedTuple):
    """`kl` is the mean divergence at `size`, on the questions that it was found on."""

    size: float
    kl: float


def divergence(
    plain: Float[Tensor, "row vocabulary"], pushed: Float[Tensor, "row vocabulary"]
) -> Float[np.ndarray, "row"]:
    """KL(plain ‖ pushed) of next tokens in nats, row by row, from logits."""
    before, after = plain.double().log_softmax(dim=-1), pushed.double().log_softmax(dim=-1)
    found: Float[np.ndarray, "row"] = (before.exp() * (before - after)).sum(dim=-1).clamp(min=0).numpy()
    return found


def dose_for(moves: Callable[[float], float], kl: float, first: float, most: float) -> Dose:
    """The dose up to `most` at which `moves` (a dose's mean divergence) is `kl`, to CLOSE; `first` is tried first.

    Where not even `most` reaches it, the dose that came nearest, with a divergence that says so.
    """
    below: Dose | None = None
    above: Dose | None = None
    nearest = Dose(0.0, 0.0)
    size = min(first, most)
    for _ in range(STEPS):
        tried = Dose(size, moves(size))
        if _off(tried, kl) < _off(nearest, kl):
            nearest = tried
        if _off(tried, kl) < CLOSE or (tried.kl < kl and size >= most):
            break
        below, above = (tried, above) if tried.kl < kl else (below, tried)
        size = min(_next(below, above, kl), most)
    return nearest


def reached(dose: Dose, kl: float) -> bool:
    """Whether the dose moves answers by about `kl`: within a quarter of it."""
    return 0.75 * kl <= dose.kl <= 1.33 * kl


def _off(dose: Dose, kl: float) -> float:
    return abs(log(max(dose.kl, 1e-12) / kl))


def _next(below: Dose | None, above: Dose | None, kl: float) -> float:
    if below is None or above is None:
        known = below or above
        assert known is not None
        factor = sqrt(kl / max(known.kl, 1e-12)) * (1.05 if below else 0.95)
        return known.size * min(max(factor, 1 / FARTHEST), FARTHEST)
    span = log(above.size / below.size)
    slope = log(above.kl / max(below.kl, 1e-12))
    share = log(kl / max(below.kl, 1e-12)) / slope if slope > 0 else 0.5
    return below.size * exp(span * min(max(share, 0.15), 0.85))
