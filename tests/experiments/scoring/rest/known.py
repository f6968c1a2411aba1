"""Components whose truth is known: function units in a workplace that has a sealed side and no other.

The planner's pictures and editor refuse everything, so that a score which asks for them fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from experiments.bench.function_units import FunctionUnits
from experiments.bench.kinds import FunctionUnit, Kind
from experiments.registry import open_target
from experiments.scoring.judged import Judged
from experiments.scoring.protocol import Subject, score
from experiments.scoring.rest.sealed import Sealed
from experiments.scoring.seal import record
from experiments.tableau.scene import GRID
from experiments.workplace import Workplace
from experiments.worlds import World, open_world
from store.address import Address, parse
from store.database import Store
from store.records import Description, Reading
from tools.pools import POOLS, side
from tools.stimuli import Stimulus
from tools.targets.target import Target

UNITS: dict[str, tuple[Kind, str]] = {
    "language.1.mlp.0": ("single", "red thing"),
    "language.1.mlp.1": ("single", "star"),
    "language.1.mlp.2": ("and_not", "red thing & !star"),
    "language.1.mlp.3": ("or", "moon | dark background"),
    "language.1.mlp.4": ("single", "red star"),
    "language.1.mlp.5": ("noise", ""),
    "language.1.mlp.6": ("dead", ""),
}
RED, STAR, RED_NO_STAR, MOON_OR_DARK, RED_STAR, NOISE, DEAD = UNITS


class Sevens:
    """A model that says 7 of everything."""

    def pooled(
        self, addresses: Sequence[Address], stimuli: Sequence[Stimulus], /
    ) -> Float32[np.ndarray, "pool stimulus component"]:
        return np.full((len(POOLS), len(stimuli), len(addresses)), 7, np.float32)

    def maps(
        self, address: Address, stimuli: Sequence[Stimulus], /
    ) -> Float32[np.ndarray, "stimulus rows columns"]:
        return np.full((len(stimuli), GRID, GRID), 7, np.float32)


class Refusing:
    """Stands where a planner's things would be: to touch it is to fail."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"`{name}` of the planner's side was asked for")

    def __len__(self) -> int:
        raise AssertionError("the planner's pictures were counted")


@lru_cache(maxsize=1)
def target() -> Target:
    return open_target("tableau-llava-random", "cpu")


@lru_cache(maxsize=1)
def world() -> World:
    opened = open_world("tableau:12/6/160", target())
    planner: Any = Refusing()
    return replace(opened, train=planner, select=planner, editor=planner, judge=planner)


def workplace(store: Store, cache: Path) -> Workplace:
    units = [
        FunctionUnit(parse(name), kind, concept, 2.0, seed)
        for seed, (name, (kind, concept)) in enumerate(UNITS.items())
    ]
    return Workplace(store, target(), world(), cache=cache, source=FunctionUnits(Sevens(), units))


def frozen(component: str, concept: str, reading: Reading | None = None) -> Description:
    return Description(
        component=component,
        status="unverified",
        label=concept,
        concept=concept,
        text=concept,
        reading=reading or Reading(),
    )


def sealed(place: Workplace) -> Sealed:
    return Sealed(place, tuple(frozen(name, concept) for name, (_, concept) in UNITS.items() if concept))


def through_the_test(place: Workplace, *words: Description) -> str:
    """A run in which these words are frozen, and their blind test is done."""
    recorder = place.store.recorder
    recorder.target(place.target.name, place.target.fingerprint, place.target.family, {})
    run = recorder.open_run("label", place.target.fingerprint, {}, 0, "test")
    recorder.components(run, [one.component for one in words])
    test = place.world.test
    judged = Judged(place.world.scorer_judge, test, name=place.world.scorer_judge_name)
    stimuli = [test.asked(number) for number in range(len(test))]
    for one in words:
        recorder.description(run, one)
        values = side(place.activations.pooled([parse(one.component)], stimuli), one.reading)
        subject = Subject(one.component, one.reading, one.concept, 0.2)
        record(place.store, run, score([subject], values, judged, draws=50)[0])
    return run
