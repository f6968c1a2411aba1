"""What a labelling run would cost: rows through the model, and seconds on this machine, before it begins.

Counted from what the built-in planner does at most; a short measurement gives the pace.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from experiments.workplace import Workplace
from tools.index import index_folder
from tools.index.manifest import MANIFEST

EACH = 24 * 12 + 6 * 40 + 24 * 9 + 12 * 10 + 24 + 20
"""Rows that a component costs: the ablation on every kind of question, exemplars, pairs, and a push."""
SITE = 24 * 12 * 7 + 2 * (24 * 11 + 24)
"""Rows that its site costs once: controls of ablation and push, and the whole site."""
TIMED = 32


@dataclass(frozen=True)
class Estimate:
    """`shared` rows are paid once for the run, `each` for every component; `seconds` are for all of it."""

    components: int
    shared: int
    each: int
    seconds: float

    @property
    def forwards(self) -> int:
        return self.shared + self.components * self.each

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"forwards": self.forwards}


def estimate(workplace: Workplace, components: int) -> Estimate:
    """Shared rows are the index, if it is missing, and one pass over each split."""
    world = workplace.world
    sizes = [len(world.train), len(world.select), len(world.test)]
    folder = index_folder(workplace.cache, workplace.target.fingerprint, world.train)
    index = 0 if (folder / MANIFEST).is_file() else len(world.train)
    shared = index + sum(sizes) + SITE
    stimuli = [world.train.asked(number) for number in range(min(TIMED, len(world.train)))]
    *_, last = workplace.extent.all()
    began = time.monotonic()
    workplace.activations.source.pooled([last], stimuli)
    pace = (time.monotonic() - began) / len(stimuli)
    return Estimate(components, shared, EACH, round(pace * (shared + components * EACH), 1))
