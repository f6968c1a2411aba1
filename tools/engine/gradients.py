"""Gradients: how steeply a number made of the logits depends on every activation, in one pass forward and one back.

Beside the engine, which runs plans exactly and without gradients: what is found here is a first-order guess that plans
then verify. Knows sites, rows and a metric; knows nothing about what is compared with what (methods/attribution.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from tools.engine.engine import Engine
from tools.engine.hooks import Touch, hooked
from tools.meter import count
from tools.targets.adapter import Tap
from tools.targets.batch import Batch
from tools.targets.sites import Site

BACKWARD = 2
"""Passes forward that one backward counts as: it multiplies twice with every weight."""

Metric = Callable[[Float[Tensor, "row vocabulary"]], Float[Tensor, "row"]]
"""A number for each row, made of that row's logits alone."""


@dataclass(frozen=True, eq=False)
class Slopes:
    """The metric of each row, what stands at each site, and the metric's derivative there (0 where nothing leads from
    the site to the logits)."""

    metric: Float[Tensor, "row"]
    values: dict[Site, Float[Tensor, "row position width"]]
    slopes: dict[Site, Float[Tensor, "row position width"]]


def slopes(engine: Engine, batch: Batch, metric: Metric, sites: Sequence[Site]) -> Slopes:
    """Runs every row of the batch once forward and once back; the engine counts 1 + BACKWARD rows for each.

    Raises ValueError for attention patterns, and HookDidNotFire when a site was not passed.
    """
    taps = [engine.adapter.tap(site) for site in sites]
    if any(tap.side == "pattern" for tap in taps):
        raise ValueError("slopes at attention patterns are not taken: fused attention makes none")
    values: dict[Site, Tensor] = {}
    added: dict[Site, Tensor] = {}

    def touch(tap: Tap) -> Touch:
        def keep(tensor: Tensor) -> Tensor:
            values[tap.site] = tensor.detach()
            added[tap.site] = torch.zeros_like(tensor, requires_grad=True)
            return tensor + added[tap.site]

        return keep

    with torch.enable_grad():
        with hooked([(tap, touch(tap)) for tap in taps]):
            logits = engine.adapter.forward(batch)
        numbers = metric(logits)
        found = torch.autograd.grad(numbers.sum(), [added[site] for site in sites], allow_unused=True)
    count(len(batch) * (1 + BACKWARD))
    return Slopes(
        numbers.detach(),
        {site: values[site].float() for site in sites},
        {
            site: torch.zeros_like(values[site]).float() if slope is None else slope.float()
            for site, slope in zip(sites, found, strict=True)
        },
    )
