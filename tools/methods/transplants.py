"""Transplants: components' activations moved between the two sides of pairs, and the metric in every run.

Knows pairs with two answers and sets of components that move together; knows nothing about what is concluded from it
(patch.py, find_components.py). Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from store.address import Address
from tools.context import ToolContext
from tools.methods.duels import Duel

if TYPE_CHECKING:
    from tools.engine.plan import Row

Positions = Literal["all", "visual", "question", "answer"]
Metric = Literal["margin", "probability"]
GAP = {"margin": 0.05, "probability": 0.01}
"""Mean difference of the metric between clean and corrupt below which a ratio would be noise."""


class Runs(NamedTuple):
    """The metric in each pair's runs: untouched on both sides, and with each set of components (or each sender's path)
    moved from the clean side into the corrupt run (`denoised`) or the other way round (`noised`)."""

    clean: Float[np.ndarray, "pair"]
    corrupt: Float[np.ndarray, "pair"]
    denoised: Float[np.ndarray, "set pair"]
    noised: Float[np.ndarray, "set pair"]


def transplanted(
    context: ToolContext,
    duels: Sequence[Duel],
    sets: Sequence[Sequence[Address]],
    positions: Positions = "all",
    metric: Metric = "margin",
) -> Runs:
    """Every set moved from the clean side into the corrupt run (denoised) and the other way round (noised).

    The metric is the logit, or the probability, of the answer with the concept minus that without. Components of the
    vision tower move at all positions.
    """
    from tools.engine.plan import Plan, Row

    stimuli = [side for duel in duels for side in (duel.pair.with_, duel.pair.without)]
    rows = [Row(number) for number in range(len(stimuli))]
    for addresses in sets:
        for number in range(0, len(stimuli), 2):
            rows.append(_moved(number + 1, number, addresses, positions))
            rows.append(_moved(number, number + 1, addresses, positions))
    logits = context.engine.run(Plan(stimuli, rows)).logits.float().cpu()
    scores = logits if metric == "margin" else logits.softmax(dim=-1)
    table = scores.double().numpy().reshape(1 + len(sets), len(duels), 2, -1)
    found = leads(table, duels)
    return Runs(found[0, :, 0], found[0, :, 1], found[1:, :, 0], found[1:, :, 1])


def leads(
    scores: Float[np.ndarray, "set pair side vocabulary"], duels: Sequence[Duel]
) -> Float[np.ndarray, "set pair side"]:
    """By how much the answer with the concept leads that without it, by each pair's own answers."""
    pair = np.arange(len(duels))
    with_, without = ([getattr(duel, name) for duel in duels] for name in ("with_", "without"))
    return np.asarray(scores[:, pair, :, with_] - scores[:, pair, :, without]).swapaxes(0, 1)


def _moved(into: int, source: int, addresses: Sequence[Address], positions: Positions) -> Row:
    """A run of one side with the components as they are on the other."""
    from tools.engine.plan import Intervention, Row, Swap
    from tools.targets.sites import site_of

    found = []
    for address in addresses:
        site, unit = site_of(address)
        where: Positions = "all" if address.tower == "vision" else positions
        found.append(Intervention(site, unit, where, Swap(source)))
    return Row(into, tuple(found))
