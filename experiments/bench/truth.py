"""A ground truth: an ordinary labelling run over components whose truth is known, and what it found of them.

Puts together function units, planted components, untrained ones and the runs; the planner sees addresses, tools and
nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.planner import Planner
from experiments.bench.against import against
from experiments.bench.baselines import BASELINES, Seen
from experiments.bench.bench_target import BenchTarget
from experiments.bench.drawing import draw_units
from experiments.bench.found import Found, Truth, compared
from experiments.bench.function_units import FunctionUnits
from experiments.bench.kinds import FunctionUnit
from experiments.bench.planted import Planted, plant
from experiments.bench.planted_head import PlantedHead
from experiments.bench.report import UNTRAINED, Report, Shares
from experiments.bench.runs import begun, tested_guesses
from experiments.label import Allowance, carry_on
from experiments.workplace import Progress, Workplace, cache_folder, silent
from experiments.worlds import open_world
from store.address import Address, Extent, parse
from store.database import Store
from store.records import Description
from tools.activations import ModelActivations
from tools.door import code_version
from tools.targets.adapter import adapter_for
from tools.targets.target import Target

WORLD = "tableau"
"""Function units have no truth elsewhere."""
Tell = Callable[[Description], None]


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
    chosen = _some(workplace.extent, units, seed)
    return Bench(
        workplace, tuple(Truth(str(one), UNTRAINED, "") for one in sorted(chosen)), target.fingerprint
    )


def measure(
    bench: Bench,
    planner: Planner,
    *,
    untrained: Bench | None = None,
    baselines: bool = False,
    allowance: Allowance | None = None,
    tell: Tell = lambda _: None,
) -> Report:
    """Labels every component like any other, and compares. A run that was stopped goes on."""
    run, found = _labelled(bench, planner, allowance or Allowance(), tell)
    beside: dict[str, Shares] = dict.fromkeys(BASELINES)
    if baselines:
        beside |= {name: against(found, guessed) for name, guessed in _guessed(bench, run, planner)}
    others = _labelled(untrained, planner, allowance or Allowance(), tell)[1] if untrained else ()
    workplace = bench.workplace
    return Report(
        planner=planner.name,
        seed=workplace.seed,
        run=run,
        fingerprint=workplace.target.fingerprint,
        found=(*found, *others),
        target=workplace.target.name,
        host=bench.host,
        version=code_version(),
        baselines=beside,
    )


def _labelled(
    bench: Bench, planner: Planner, allowance: Allowance, tell: Tell
) -> tuple[str, tuple[Found, ...]]:
    """The run, and what it found of each component."""
    workplace = bench.workplace
    arguments = {"bench": "truth", "seed": workplace.seed, "planner": planner.name}
    run = begun(workplace, planner.name, [truth.component for truth in bench.truths], arguments)
    labelled = carry_on(workplace, run, planner, allowance, tell=tell)
    return run, compared(bench.truths, labelled.descriptions)


def _guessed(bench: Bench, run: str, planner: Planner) -> Iterable[tuple[str, tuple[Found, ...]]]:
    """What each baseline says of the same components; the planner's own first look is known of the built-in one."""
    seen = Seen(bench.workplace, run)
    components = [truth.component for truth in bench.truths]
    for name, baseline in BASELINES.items():
        if name != "first_candidate" or planner.name == "builtin":
            yield name, compared(bench.truths, tested_guesses(seen, name, baseline, components))


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


def _some(extent: Extent, n: int, seed: int) -> list[Address]:
    """Neurons and heads, one head in eight."""
    chance = np.random.default_rng([seed, 333])
    heads, neurons = ([one for one in extent.all() if one.part == part] for part in ("head", "mlp"))
    wanted = ((heads, n // 8), (neurons, n - n // 8))
    return [every[i] for every, count in wanted for i in chance.permutation(len(every))[:count]]
