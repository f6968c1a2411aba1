"""Measures the null of the embedded LLaVA anew, for every place, and writes it where the checkout keeps it.

`python -m experiments.scoring.ship`: ten untrained copies on 600 pictures, some ten minutes on two cores. Needed when
the model's configuration, the test pictures or the searched phrases change; a test tells when the file no longer fits.
"""

from __future__ import annotations

import sys
from typing import get_args

from experiments.registry import open_target
from experiments.scoring.blind import SHIPPED
from experiments.scoring.classes import class_of, searched
from experiments.scoring.judged import Judged
from experiments.scoring.null import Null, untrained_null
from experiments.worlds import TABLEAU, open_world
from store.address import Address
from store.records import Scope
from tools.targets.adapter import adapter_for


def wanted(components: list[Address]) -> list[tuple[Address, Scope]]:
    """Every component at every kind of token that its tower has."""
    scopes: tuple[Scope, ...] = get_args(Scope)
    return [
        (one, scope) for one in components for scope in (scopes if one.tower == "language" else ("visual",))
    ]


def ship() -> Null:
    """The null as the labelling run will look for it."""
    target = open_target("tableau-llava")
    world = open_world(TABLEAU, target)
    extent = adapter_for(target).extent()
    return untrained_null(
        target,
        wanted(list(extent.all())),
        Judged(world.scorer_judge, world.test, name=world.scorer_judge_name),
        searched(world),
        class_of,
        extent=extent,
        folder=SHIPPED,
        say=lambda line: print(line, file=sys.stderr),
    )


if __name__ == "__main__":
    ship()
