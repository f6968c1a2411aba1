"""Maps from gradients: integrated gradients over the picture's tokens, and relevancy rolled back through attention.

Sundararajan et al. 2017 and Chefer et al. 2021. Both explain the answer's lead over its rival, in logits. Knows passes
forward and back; knows nothing about what maps are worth.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from tools.engine.attention import opened
from tools.engine.engine import Engine
from tools.engine.gradients import BACKWARD
from tools.engine.hooks import hooked
from tools.meter import count
from tools.relevance.subject import Subject
from tools.targets.batch import Batch
from tools.targets.sites import EMBED, Site

FIRST, MOST = 8, 256
"""Steps of the path with which integration begins, and after which it gives up."""
TOLERANCE = 0.02
"""Share of the difference between both ends of the path that the sum of all attributions may miss."""
LEAST = 0.05
"""Logits below which such a difference counts as this much."""
AT_ONCE = 16
"""Points of the path that go through the model together."""


class Integrated(NamedTuple):
    """Attributions in logits, the steps that they took, and the share of the difference that their sum misses."""

    heat: Float[np.ndarray, "token"]
    steps: int
    error: float


def integrated_gradients(engine: Engine, subject: Subject, *, tolerance: float = TOLERANCE) -> Integrated:
    """From a picture of empty tokens straight to the real one; steps are doubled until the error is small enough."""
    batch = engine.adapter.encoded(engine.adapter.batch([subject.stimulus]))
    (real,) = engine.plain([subject.stimulus], (EMBED,)).reads[EMBED]
    seen = batch.visual[0]
    empty = real.clone()
    empty[seen] = subject.empty.to(empty)
    gap = float(_slopes(engine, subject, batch, torch.stack([real, empty])).leads.diff().neg())
    steps = FIRST
    while True:
        found = _along(engine, subject, batch, empty, real, steps)[seen]
        heat = found.sum(-1).double().cpu().numpy()
        error = abs(float(heat.sum()) - gap) / max(abs(gap), LEAST)
        if error <= tolerance or steps >= MOST:
            return Integrated(heat, steps, error)
        steps *= 2


def relevancy(engine: Engine, subject: Subject) -> Float[np.ndarray, "token"]:
    """R ← R + ĀR from the first layer to the last, with Ā = mean over heads of (∇A ⊙ A)₊ and R = 1 in the beginning;
    the answer position's row of R, at the picture's tokens."""
    batch = engine.adapter.encoded(engine.adapter.batch([subject.stimulus]))
    width = batch.width("language")
    rolled = torch.eye(width, device=batch.answer.device)
    for pattern, slope in _patterns(engine, subject, batch):
        weight = (slope * pattern).clamp(min=0).mean(0).float()
        rolled = rolled + weight @ rolled
    return rolled[batch.answer[0], batch.visual[0]].double().cpu().numpy()


class _Slopes(NamedTuple):
    leads: Float[Tensor, "row"]
    slopes: Float[Tensor, "row position width"]


def _along(
    engine: Engine, subject: Subject, batch: Batch, empty: Tensor, real: Tensor, steps: int
) -> Float[Tensor, "position width"]:
    """The mean slope along the path by Gauss and Legendre's points, times the way."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    points, shares = torch.tensor((nodes + 1) / 2), torch.tensor(weights / 2)
    total = torch.zeros_like(real)
    for start in range(0, steps, AT_ONCE):
        at = points[start : start + AT_ONCE].to(real)[:, None, None]
        share = shares[start : start + AT_ONCE].to(real)[:, None, None]
        total += (share * _slopes(engine, subject, batch, empty + at * (real - empty)).slopes).sum(0)
    return total * (real - empty)


def _slopes(
    engine: Engine, subject: Subject, batch: Batch, embedded: Float[Tensor, "row position width"]
) -> _Slopes:
    """The lead before these embeddings, and how steeply it depends on them."""
    points = embedded.detach().requires_grad_()
    rows = batch.rows([0] * len(points))
    with torch.enable_grad():
        with hooked([(engine.adapter.tap(EMBED), lambda _: points)]):
            logits = engine.adapter.forward(rows)
        leads = subject.leads(logits)
        (found,) = torch.autograd.grad(leads.sum(), [points])
    count(len(points) * (1 + BACKWARD))
    return _Slopes(leads.detach(), found)


def _patterns(
    engine: Engine, subject: Subject, batch: Batch
) -> list[tuple[Float[Tensor, "head query key"], Float[Tensor, "head query key"]]]:
    """Every layer's attention pattern, and the lead's slope there."""
    layers = engine.adapter.extent().towers["language"].layers
    taps = [engine.adapter.tap(Site("attn.pattern", "language", layer)) for layer in range(layers)]
    patterns: list[Tensor] = []
    added: list[Tensor] = []

    def keep(pattern: Tensor) -> Tensor:
        patterns.append(pattern.detach())
        added.append(torch.zeros_like(pattern, requires_grad=True))
        return pattern + added[-1]

    with torch.enable_grad(), opened(engine.target.model, ("language",)):
        with hooked([(tap, keep) for tap in taps]):
            logits = engine.adapter.forward(batch)
        found = torch.autograd.grad(subject.leads(logits).sum(), added)
    count(1 + BACKWARD)
    return [(pattern[0], slope[0]) for pattern, slope in zip(patterns, found, strict=True)]
