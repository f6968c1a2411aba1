"""Right answers from the wrong region, and a gate that withholds answers whose maps miss the thing.

Two of the three maps change the input or the model (occlusion, silencing); attention does not, and is told beside them.
The control of a wrong region is the maps' own error: how often they miss the only thing of a picture, which the right
answer must come from. The gate's rule is fixed beforehand, so that every answer is a held-out one. After the agreement
gate of multi-method explanations; risk and coverage as in El-Yaniv and Wiener 2010.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from experiments.audit.findings import Claimed, Counts
from experiments.audit.maps import METHODS, Mapped, Placed, agreement
from store.records import Quantity
from tools.scoring.intervals import bootstrap_mean, wilson

CAUSAL = METHODS[1:]
SHARE = 4
"""One in so many of an audit's pictures gets maps, each some hundred rows."""
Items = Sequence[tuple[Placed, Mapped]]

WRONG_PLACE = Claimed(
    topic="grounding",
    name="right answer, wrong region",
    claim="Right answers come from elsewhere than the thing that was asked about",
    kind="behavior",
    unit="share of right answers whose occlusion and silencing maps both peak outside the thing",
    control_is="the same where the thing is the only one, so that the maps themselves must be wrong",
    rival="the maps miss things by themselves",
    shows_not="Maps are coarse (7 × 7 blocks); an answer may use several places, of which the peak is one.",
)
GATE = Claimed(
    topic="grounding",
    name="gate",
    claim="Answers whose maps miss the thing are wrong more often than those that are given",
    kind="gate",
    unit="error of the answers that are withheld",
    control_is="the error of the answers that are given",
    rival="it errs as often whatever the maps show",
    shows_not="The gate was given the thing's pixels; in use, somebody must say where the thing is. Half of the "
    "questions were about colors and shapes that no training showed together: it may tell these apart, not errors.",
)


class Gated(NamedTuple):
    """What a gate does: how often those answers are wrong that it withholds, and those that it gives."""

    counts: Counts
    numbers: dict[str, Quantity]


def right(items: Items) -> Items:
    return [one for one in items if one[1].said == one[0].stimulus.answer]


def missed(items: Items) -> tuple[int, int]:
    """Of the right answers, how many have both causal maps peak outside the thing."""
    among = right(items)
    away = [not any(seen.inside(placed, method) for method in CAUSAL) for placed, seen in among]
    return sum(away), len(away)


def gate(items: Items, seed: int) -> Gated | None:
    """Answers are given where at least one causal map peaks on the thing; None where it gives all of them or none."""
    wrong = np.array([seen.said != placed.stimulus.answer for placed, seen in items])
    given = np.array([any(seen.inside(placed, one) for one in CAUSAL) for placed, seen in items])
    if given.all() or not given.any():
        return None
    counts = {
        "tested": (int(wrong[~given].sum()), int((~given).sum())),
        "control": (int(wrong[given].sum()), int(given.sum())),
    }
    numbers = {
        "coverage": _share(int(given.sum()), len(given)),
        "error of all": _share(int(wrong.sum()), len(wrong)),
        "error of those given": _share(*counts["control"]),
    }
    return Gated(counts, numbers | agreements(items, seed))


def _share(some: int, n: int) -> Quantity:
    found = wilson(some, n)
    return Quantity(value=found.value, unit="share", ci=(found.low, found.high), n=n)


def agreements(items: Items, seed: int) -> dict[str, Quantity]:
    """How far the maps agree, pair by pair, and how often each peaks on the thing."""
    maps = [seen for _, seen in items]
    found = {}
    for first, second in (("attention", "occlusion"), ("attention", "silencing"), ("occlusion", "silencing")):
        told = bootstrap_mean(agreement(maps, first, second), seed=seed)
        found[f"{first} and {second}"] = Quantity(
            value=told.value, unit="rank correlation", ci=(told.low, told.high), n=told.n, control=0.0
        )
    for method in METHODS:
        found[f"{method} on the thing"] = _share(
            sum(seen.inside(placed, method) for placed, seen in items), len(items)
        )
    return found
