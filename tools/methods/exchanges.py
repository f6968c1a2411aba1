"""Exchanges: parts of one run put as they are in runs before other pictures, guessed from gradients and done exactly.

Knows one stimulus, its donors and two answers; knows nothing about what is concluded (explain_answer.py). Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from store.address import Address
from tools.context import ToolContext
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from torch import Tensor


class Part(NamedTuple):
    """Picture tokens (positions in the row, from its first token), or one component."""

    name: str
    tokens: tuple[int, ...] = ()
    component: Address | None = None


class Guessed(NamedTuple):
    """What exchanging each component, and each picture token, would cost the lead, in logits, by gradients; `visual`
    are the tokens' positions."""

    components: Float[np.ndarray, "component"]
    tokens: Float[np.ndarray, "token"]
    visual: list[int]


class Exchanged(NamedTuple):
    """The lead's loss, part by part and donor by donor."""

    drops: Float[np.ndarray, "part donor"]


def guessed(
    context: ToolContext,
    stimulus: Stimulus,
    donors: Sequence[Stimulus],
    answers: tuple[int, int],
    components: Sequence[Address],
) -> Guessed:
    """One pass back at the stimulus, one forward at every donor."""
    import torch

    from tools.engine.gradients import slopes
    from tools.targets.sites import EMBED, site_of

    places: dict[object, list[int]] = {}
    for number, address in enumerate(components):
        places.setdefault(site_of(address).site, []).append(number)
    sites = (*dict.fromkeys(site_of(address).site for address in components), EMBED)

    def lead(logits: Tensor) -> Tensor:
        return logits[:, answers[0]] - logits[:, answers[1]]

    batch = context.adapter.batch([stimulus])
    found = slopes(context.engine, batch, lead, sites)
    reads = context.engine.plain(list(donors), sites).reads
    each = torch.zeros(len(components))
    for site, held in places.items():
        tap = context.adapter.tap(site)  # type: ignore[arg-type]  # its keys are sites
        away = found.values[site] - reads[site].float().mean(0, keepdim=True)  # type: ignore[index]
        by_unit = (away * found.slopes[site]).sum((0, 1)).reshape(tap.units, -1).sum(-1)  # type: ignore[index]
        each[held] = by_unit[[components[number].index or 0 for number in held]].cpu()
    away = found.values[EMBED] - reads[EMBED].float().mean(0, keepdim=True)
    by_token = (away * found.slopes[EMBED]).sum(-1)[0]
    seen = batch.where("language", "visual")[0].nonzero()[:, 0]
    first = int(batch.first[0])
    return Guessed(
        each.double().numpy(),
        by_token[seen].double().cpu().numpy(),
        [int(place) - first for place in seen],
    )


def exchanged(
    context: ToolContext,
    stimulus: Stimulus,
    donors: Sequence[Stimulus],
    answers: tuple[int, int],
    parts: Sequence[Part],
) -> Exchanged:
    """Every part exchanged with every donor, exactly."""
    from tools.engine.plan import Intervention, Plan, Row, Swap
    from tools.targets.sites import EMBED, site_of

    rows = [Row(0)]
    for part in parts:
        for donor in range(1, 1 + len(donors)):
            if part.component is None:
                done = Intervention(EMBED, None, part.tokens, Swap(donor))
            else:
                site, unit = site_of(part.component)
                done = Intervention(site, unit, "all", Swap(donor))
            rows.append(Row(0, (done,)))
    logits = context.engine.run(Plan([stimulus, *donors], rows)).logits.float().cpu()
    lead = (logits[:, answers[0]] - logits[:, answers[1]]).double().numpy()
    return Exchanged((lead[0] - lead[1:]).reshape(len(parts), len(donors)))
