"""Streams without a concept: what linear probes read of it is taken out of every layer while questions are answered.

Knows the picture tokens' streams of the language side, and how an eraser becomes interventions; knows nothing about
verdicts (probe.py). Not a tool. Only picture tokens are touched: they are what erasers are made from, words behind them
can learn of a picture from nothing else, and at other positions the same map is far from the smallest change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from tools.methods.answers import Asked, Margins, margins
from tools.scoring.erasure import eraser
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from torch import Tensor

    from tools.context import ToolContext
    from tools.engine.plan import Intervention
    from tools.targets.sites import Site

Maps = Mapping["Site", Float[np.ndarray, "width width"]]
"""What is taken out of each site."""
AT_ONCE = 32
"""Pictures whose streams are read together."""


class Streams(NamedTuple):
    """The residual stream at picture tokens of every site: pooled over each picture, and its covariance over tokens."""

    pooled: dict[Site, Float[np.ndarray, "picture width"]]
    spread: dict[Site, Float[np.ndarray, "width width"]]


def streams(context: ToolContext, stimuli: Sequence[Stimulus]) -> Streams:
    """At the decoder's input and after every layer but the last, behind which picture tokens are read no more."""
    sites = stream_sites(context)
    parts: dict[Site, list[Tensor]] = {site: [] for site in sites}
    squares: dict[Site, list[Tensor]] = {site: [] for site in sites}
    for start in range(0, len(stimuli), AT_ONCE):
        outcome = context.engine.plain(stimuli[start : start + AT_ONCE], sites)
        visual = outcome.batch.visual.to(outcome.reads[sites[0]].device)
        count = visual.sum(1, keepdim=True)
        for site in sites:
            values = outcome.reads[site].float() * visual[..., None]
            parts[site].append((values.sum(1) / count).double().cpu())
            squares[site].append(((values.mT @ values) / count[..., None]).sum(0).double().cpu())
    pooled = {site: np.concatenate([part.numpy() for part in found]) for site, found in parts.items()}
    return Streams(
        pooled,
        {
            site: sum(square.numpy() for square in found) / len(stimuli) - np.outer(middle, middle)
            for site, found in squares.items()
            for middle in [pooled[site].mean(axis=0)]
        },
    )


def stream_sites(context: ToolContext) -> tuple[Site, ...]:
    from tools.targets.sites import EMBED, Site

    layers = context.extent.towers["language"].layers
    return (EMBED, *(Site("resid_post", "language", layer) for layer in range(layers - 1)))


def erasers(found: Streams, labels: Bool[np.ndarray, "picture concept"]) -> Maps:
    """One for each site, made on the same pictures."""
    return {site: eraser(values, labels, found.spread[site]) for site, values in found.pooled.items()}


def without(
    context: ToolContext,
    questions: Asked,
    found: Streams,
    maps: Maps,
) -> Margins:
    """Margins of the questions while every site's map takes its part out of the picture tokens."""
    from tools.engine.plan import Plan, Row

    done = _interventions(context, found, maps)
    rows = [Row(number, done) for number in range(len(questions.stimuli))]
    return margins(context.engine.run(Plan(questions.stimuli, rows)).logits, questions)


def _interventions(context: ToolContext, found: Streams, maps: Maps) -> tuple[Intervention, ...]:
    import torch

    from tools.engine.plan import Apply, Intervention

    done = []
    for site, erase in maps.items():
        matrix = torch.from_numpy(erase).float().to(context.target.device)
        mean = torch.from_numpy(found.pooled[site].mean(axis=0)).float().to(context.target.device)

        def taken(now: Tensor, matrix: Tensor = matrix, mean: Tensor = mean) -> Tensor:
            return now - ((now.float() - mean) @ matrix.T).to(now.dtype)

        done.append(Intervention(site, None, "visual", Apply(taken)))
    return tuple(done)
