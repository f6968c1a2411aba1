"""How strong the noise is: the least that costs answers half of what an edited picture costs them.

An edited picture turns an answer round, and noise at best takes it away: half of the gap. Knows a few strengths and
items of their own, on which nothing else is measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from experiments.reproduce.effects import Couple, answer_tokens, margins
from experiments.reproduce.items import Item
from store.values import Estimate
from tools.scoring.intervals import bootstrap_mean

if TYPE_CHECKING:
    from tools.context import ToolContext

STRENGTHS = (0.1, 0.2, 0.4, 0.8)
"""Standard deviations of the noise, as shares of a pixel's range."""
HALF = 0.5


class Strength(NamedTuple):
    """The strength that was chosen, and for every one that was tried the gap as a share of an edited picture's."""

    chosen: float
    tried: Mapping[float, Estimate]

    def as_json(self) -> dict[str, Any]:
        return {
            "chosen": self.chosen,
            "unit": "standard deviation as a share of a pixel's range",
            "gap_over_edited": {f"{one:g}": gap.as_json() for one, gap in self.tried.items()},
        }


def strength(context: ToolContext, items: Sequence[Item], seed: int) -> Strength:
    """The weakest of STRENGTHS whose mean gap reaches HALF of the edited pictures', else the strongest."""
    sides = [("SIP", 0.0), *(("GN", one) for one in STRENGTHS)]
    couples = [
        Couple(item.clean, side[0], (item.clean.answer, side[1]))
        for name, one in sides
        for number, item in enumerate(items)
        if (side := item.corrupt(name, one, seed + number)) is not None  # type: ignore[arg-type]  # both are corruptions
    ]
    gaps = margins(context.engine, couples, answer_tokens(context, couples)).gaps.reshape(len(sides), -1)
    edited = float(np.abs(gaps[0]).mean())
    tried = {
        one: bootstrap_mean(gap / max(edited, 1e-6), seed=seed)
        for one, gap in zip(STRENGTHS, gaps[1:], strict=True)
    }
    enough = [one for one in STRENGTHS if tried[one].value >= HALF]
    return Strength(enough[0] if enough else STRENGTHS[-1], tried)
