"""What a bench is measured in: workplaces whose components have a truth that is known, or that can be looked up.

Puts together function units, planted components, untrained ones and natural ones; the planner sees addresses, tools
and nothing else. Knows nothing about runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.bench.bench_target import BenchTarget
from experiments.bench.drawing import draw_units
from experiments.bench.found import Truth
from experiments.bench.function_units import FunctionUnits
from experiments.bench.kinds import FunctionUnit
from experiments.bench.planted import Planted, plant
from experiments.bench.planted_head import PlantedHead
from experiments.bench.report import NATURAL, UNTRAINED
from experiments.workplace import Progress, Workplace, cache_folder, silent
from experiments.worlds import open_world
from store.address import Address, parse
from store.database import Store
from tools.activations import ModelActivations
from tools.targets.adapter import adapter_for
from tools.targets.target import Target

WORLD = "tableau"
"""Function units have no truth elsewhere."""


@dataclass(frozen=True)
class Bench:
    """A workplace whose target has another truth at some addresses, and that truth, in the order of addresses; `host`
    is the fingerprint of the model that stands behind it."""

    workplace: Workplace
    truths: tuple[Truth, ...]
    host: str = ""


def set_up(
    store: Store,
    target: Target,
    units: int,
    seed: int,
    *,
    planted: bool = True,
    neurons: int = 4,
    heads: int = 1,
    images: str = WORLD,
    cache: Path | None = None,
    progress: Progress = silent,
) -> Bench:
    """`units` function units over a copy of the target with planted neurons and heads (none of either where not
    `planted`), all drawn by the seed."""
    host = plant(target, seed, progress, neurons=neurons, heads=heads) if planted else None
    model = host.model if host is not None else target.model
    put: tuple[Planted | PlantedHead, ...] = (*host.neurons, *host.heads) if host is not None else ()
    bare = Target(target.name, target.family, model, target.processor)
    drawn = draw_units(adapter_for(bare).extent(), units, seed, {one.address for one in put})
    copy = BenchTarget(
        target.name, target.family, model, target.processor, "|".join(map(repr, (*drawn, *put)))
    )
    source = FunctionUnits(ModelActivations(copy, adapter_for(copy)), drawn)
    workplace = _workplace(store, copy, seed, images, cache, progress, source)
    return Bench(workplace, tuple(_truths(drawn, put)), target.fingerprint)


def set_up_untrained(
    store: Store,
    target: Target,
    units: int,
    seed: int,
    *,
    images: str = WORLD,
    cache: Path | None = None,
    progress: Progress = silent,
) -> Bench:
    """So many neurons and heads of a model that was never trained, drawn by the seed: whatever is claimed is false."""
    workplace = _workplace(store, target, seed, images, cache, progress)
    chosen = _some(list(workplace.extent.all()), units, seed)
    return Bench(workplace, tuple(Truth(str(one), UNTRAINED, "") for one in chosen), target.fingerprint)


def set_up_natural(
    store: Store,
    target: Target,
    units: int,
    seed: int,
    *,
    images: str = WORLD,
    cache: Path | None = None,
    progress: Progress = silent,
) -> Bench:
    """So many neurons and heads of the model as it is that are not dead, drawn by the seed: their truth is unknown, but
    which single phrase fits them best can be looked up (natural.py)."""
    workplace = _workplace(store, target, seed, images, cache, progress)
    living = [one for one in workplace.extent.all() if not workplace.index.entry(one).dead]
    chosen = _some(living, units, seed)
    return Bench(workplace, tuple(Truth(str(one), NATURAL, "") for one in chosen), target.fingerprint)


def _workplace(
    store: Store,
    target: Target,
    seed: int,
    images: str,
    cache: Path | None,
    progress: Progress,
    source: FunctionUnits | None = None,
) -> Workplace:
    folder = cache if cache is not None else cache_folder()
    return Workplace(store, target, open_world(images, target, seed=seed), seed, progress, folder, source)


def _truths(drawn: Iterable[FunctionUnit], put: Iterable[Planted | PlantedHead]) -> list[Truth]:
    """What stands where, in the order of addresses."""
    units = (
        Truth(
            str(one.address),
            one.kind,
            one.concept,
            exception=one.exception,
            weaker=one.weaker if one.kind == "two_faced" else None,
        )
        for one in drawn
    )
    planted = (Truth(str(one.address), one.kind, one.concept, one.gain) for one in put)
    return sorted((*units, *planted), key=lambda truth: parse(truth.component))


def _some(living: Sequence[Address], n: int, seed: int) -> list[Address]:
    """So many of these neurons and heads, one head in eight, in order."""
    chance = np.random.default_rng([seed, 333])
    heads, neurons = ([one for one in living if one.part == part] for part in ("head", "mlp"))
    wanted = ((heads, n // 8), (neurons, n - n // 8))
    return sorted(every[i] for every, count in wanted for i in chance.permutation(len(every))[:count])
