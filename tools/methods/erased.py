"""Streams without a concept: what linear probes read of it is taken out of every layer while questions are answered.

Knows the streams of the language side, their pooled values on pictures, and how an eraser becomes interventions; knows
nothing about verdicts (probe.py). Not a tool.
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
    from tools.targets.batch import Positions
    from tools.targets.sites import Site

Maps = Mapping["Site", Float[np.ndarray, "width width"]]
"""What is taken out of each site."""
AT_ONCE = 32
"""Pictures whose streams are read together."""
SCOPES: tuple[Positions, ...] = ("visual", "question", "answer")


class Streams(NamedTuple):
    """The residual stream of every site, pooled over a picture's tokens, and its mean at each class of positions."""

    pooled: dict[Site, Float[np.ndarray, "picture width"]]
    means: dict[Site, Float[Tensor, "class width"]]


def streams(context: ToolContext, stimuli: Sequence[Stimulus]) -> Streams:
    """At the decoder's input and after every layer but the last, behind which picture tokens are read no more."""
    import torch

    from tools.targets.batch import CLASSES

    sites = stream_sites(context)
    parts: dict[Site, list[Tensor]] = {site: [] for site in sites}
    sums = {
        site: torch.zeros(len(CLASSES), context.adapter.tap(site).width, dtype=torch.float64)
        for site in sites
    }
    counts = torch.zeros(len(CLASSES), dtype=torch.float64)
    for start in range(0, len(stimuli), AT_ONCE):
        outcome = context.engine.plain(stimuli[start : start + AT_ONCE], sites)
        visual = outcome.batch.visual.float()
        classes = outcome.batch.classes("language")
        chosen = [(classes == number).float() for number in range(len(CLASSES))]
        counts += torch.stack([one.sum().double().cpu() for one in chosen])
        for site in sites:
            values = outcome.reads[site].float()
            parts[site].append(
                (torch.einsum("rp,rpw->rw", visual, values) / visual.sum(1, keepdim=True)).double().cpu()
            )
            sums[site] += (
                torch.stack([torch.einsum("rp,rpw->w", one, values) for one in chosen]).double().cpu()
            )
    return Streams(
        {site: torch.cat(found).numpy() for site, found in parts.items()},
        {site: (total / counts.clamp(min=1)[:, None]).float() for site, total in sums.items()},
    )


def stream_sites(context: ToolContext) -> tuple[Site, ...]:
    from tools.targets.sites import EMBED, Site

    layers = context.extent.towers["language"].layers
    return (EMBED, *(Site("resid_post", "language", layer) for layer in range(layers - 1)))


def erasers(found: Streams, labels: Bool[np.ndarray, "picture concept"]) -> Maps:
    """One for each site, made on the same pictures."""
    return {site: eraser(values, labels) for site, values in found.pooled.items()}


def without(
    context: ToolContext,
    questions: Asked,
    found: Streams,
    maps: Maps,
) -> Margins:
    """Margins of the questions while every site's map takes its part out, at every position that has a meaning."""
    from tools.engine.plan import Plan, Row

    done = _interventions(context, found, maps)
    rows = [Row(number, done) for number in range(len(questions.stimuli))]
    return margins(context.engine.run(Plan(questions.stimuli, rows)).logits, questions)


def _interventions(context: ToolContext, found: Streams, maps: Maps) -> tuple[Intervention, ...]:
    import torch

    from tools.engine.plan import Apply, Intervention
    from tools.targets.batch import CLASSES

    done = []
    for site, erase in maps.items():
        matrix = torch.from_numpy(erase).float().to(context.target.device)
        for scope in SCOPES:
            mean = found.means[site][CLASSES.index(str(scope))].to(context.target.device)

            def taken(now: Tensor, matrix: Tensor = matrix, mean: Tensor = mean) -> Tensor:
                return now - ((now.float() - mean) @ matrix.T).to(now.dtype)

            done.append(Intervention(site, None, scope, Apply(taken)))
    return tuple(done)
