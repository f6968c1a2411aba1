"""Heads that help an answer made louder, heads that work against it made quieter, on questions of their own.

V-SEAM (2025) scales positive heads by 1.5 and negative ones by 0.5. Knows sets of heads by level of edit; accuracy is
measured on the level's own kinds of questions and on all others, beside random heads scaled alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.reproduce.edits import Level
from experiments.reproduce.removal import Treated, joined, random_heads, scaled, treated
from store.address import Address
from store.values import Estimate
from tools.methods.answers import Asked

if TYPE_CHECKING:
    from tools.context import ToolContext

LOUDER, QUIETER = 1.5, 0.5
CONTROL_SETS = 4
ALLOWED = 0.01
"""Accuracy that other tasks may lose."""


class Rescaled(NamedTuple):
    """What scaling a level's heads does to the level's own questions and, kind by kind, to all others."""

    level: Level
    positive: tuple[Address, ...]
    negative: tuple[Address, ...]
    own: Treated
    others: dict[str, Treated]

    def as_json(self, seed: int) -> dict[str, Any]:
        rest = joined(list(self.others.values())) if self.others else None
        drops = {kind: one.change(seed) for kind, one in self.others.items()}
        return {
            "louder": [str(one) for one in self.positive],
            "quieter": [str(one) for one in self.negative],
            "own": _told(self.own, seed),
            "others": _told(rest, seed) if rest is not None else None,
            "other_kinds": {kind: change.as_json() for kind, change in drops.items()},
            "worst_other": _worst(drops),
            "raises": self.own.change(seed).low > 0,
            "keeps_others": all(change.value >= -ALLOWED for change in drops.values()),
        }


def rescaled(
    context: ToolContext,
    level: Level,
    positive: Sequence[Address],
    negative: Sequence[Address],
    among: Sequence[Address],
    own: Sequence[Asked],
    others: Sequence[Asked],
    plain: Mapping[str, Float[np.ndarray, "question"]],
) -> Rescaled:
    """The level's heads scaled, and CONTROL_SETS times as many random ones of the same towers scaled alike.

    `plain` says which questions of each kind are answered rightly untouched.
    """
    done = scaled(_factors(positive, negative))
    controls = []
    for draw in range(CONTROL_SETS):
        random = context.random("vseam", level, "random heads", draw)
        drawn = random_heads([*positive, *negative], among, random)
        controls.append(scaled(_factors(drawn[: len(positive)], drawn[len(positive) :])))
    return Rescaled(
        level,
        tuple(positive),
        tuple(negative),
        joined([treated(context, one, done, controls, plain[one.kind]) for one in own]),
        {one.kind: treated(context, one, done, controls, plain[one.kind]) for one in others},
    )


def _factors(positive: Sequence[Address], negative: Sequence[Address]) -> list[tuple[Address, float]]:
    return [*((one, LOUDER) for one in positive), *((one, QUIETER) for one in negative)]


def _told(found: Treated, seed: int) -> dict[str, Any]:
    return {
        "accuracy": round(float(np.mean(found.plain)), 4),
        "change": found.change(seed).as_json(),
        "control": found.control_change(seed).as_json(),
        "beyond_control": found.beyond(seed).as_json(),
    }


def _worst(drops: dict[str, Estimate]) -> dict[str, Any] | None:
    if not drops:
        return None
    kind = min(drops, key=lambda one: drops[one].value)
    return {"kind": kind, **drops[kind].as_json()}
