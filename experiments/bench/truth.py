"""A first ground truth: an ordinary labelling run over components whose truth is known, and what it found of them.

Puts together function units, planted neurons and the run; the planner sees addresses, tools and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.planner import Planner
from experiments.bench.bench_target import BenchTarget
from experiments.bench.drawing import draw_units
from experiments.bench.function_units import FunctionUnits
from experiments.bench.planted import Planted, plant
from experiments.bench.planted_head import PlantedHead
from experiments.bench.report import Report, Truth, compared
from experiments.label import Allowance, begin, carry_on
from experiments.workplace import Progress, Workplace, cache_folder, silent
from experiments.worlds import open_world
from store.address import parse
from store.database import Store
from store.records import Description
from tools.activations import ModelActivations
from tools.targets.adapter import adapter_for
from tools.targets.target import Target

WORLD = "tableau"
"""Function units have no truth elsewhere."""


@dataclass(frozen=True)
class Bench:
    """A workplace whose target has another truth at some addresses, and that truth, in the order of addresses."""

    workplace: Workplace
    truths: tuple[Truth, ...]


def set_up(
    store: Store,
    target: Target,
    units: int,
    seed: int,
    *,
    planted: bool = True,
    images: str = WORLD,
    cache: Path | None = None,
    progress: Progress = silent,
) -> Bench:
    """`units` function units over a copy of the target with planted neurons and a head, all drawn by the seed."""
    host = plant(target, seed, progress) if planted else None
    model = host.model if host is not None else target.model
    put: tuple[Planted | PlantedHead, ...] = (*host.neurons, host.head) if host is not None else ()
    bare = Target(target.name, target.family, model, target.processor)
    drawn = draw_units(adapter_for(bare).extent(), units, seed, {one.address for one in put})
    truths = sorted(
        [
            *(Truth(str(one.address), one.kind, one.concept) for one in drawn),
            *(Truth(str(one.address), one.kind, one.concept, one.gain) for one in put),
        ],
        key=lambda truth: parse(truth.component),
    )
    copy = BenchTarget(
        target.name, target.family, model, target.processor, "|".join(map(repr, (*drawn, *put)))
    )
    adapter = adapter_for(copy)
    workplace = Workplace(
        store,
        copy,
        open_world(images, copy, seed=seed),
        seed,
        progress,
        cache if cache is not None else cache_folder(),
        FunctionUnits(ModelActivations(copy, adapter), drawn),
    )
    return Bench(workplace, tuple(truths))


def measure(
    bench: Bench,
    planner: Planner,
    *,
    allowance: Allowance | None = None,
    tell: Callable[[Description], None] = lambda _: None,
) -> Report:
    """Labels every component of the bench like any other, and compares. A run of it that was stopped goes on."""
    workplace = bench.workplace
    run = _begun(bench, planner.name)
    found = carry_on(workplace, run, planner, allowance or Allowance(), tell=tell)
    return Report(
        planner.name,
        workplace.seed,
        run,
        workplace.target.fingerprint,
        compared(bench.truths, found.descriptions),
    )


def _begun(bench: Bench, planner: str) -> str:
    """The run of this bench and planner that waits to be finished, or a new one."""
    workplace = bench.workplace
    for run in workplace.store.queries.runs():
        same = (run.fingerprint, run.planner) == (workplace.target.fingerprint, planner)
        if same and run.kind == "label" and run.status not in ("done", "budget"):
            return run.id
    components = [parse(truth.component) for truth in bench.truths]
    arguments = {"bench": "truth", "seed": workplace.seed, "planner": planner}
    return begin(workplace, components, planner, arguments)
