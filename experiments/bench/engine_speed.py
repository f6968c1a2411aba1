"""How long sweeps take, ours beside loops of full forward passes, and how close to arithmetic.

Ours is timed whole, each time from a fresh engine: pictures, untouched runs and all; several times where that takes
less than SHORT. A loop is timed on cells drawn by a seed and
multiplied up, since all its passes are alike; both give the same logits there, or the time counts for nothing.
"""

from __future__ import annotations

import copy
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from experiments.bench.engine_jobs import Job, floor, jobs
from experiments.bench.engine_peers import LOOPS
from experiments.bench.engine_scan import scan_cost
from experiments.bench.engine_shape import Shape, questions, shaped
from tools.engine.engine import Engine
from tools.targets.target import Target

AGREES = 1e-3
"""Largest difference of logits, as a share of their spread, at which two engines say the same."""
SCANNED = 16
"""Stimuli whose components are all read."""
PRODUCT = 1024
"""Side of the square matrices by which the machine's pace is measured."""

SHORT, TIMES = 30.0, 3
"""Seconds below which ours is timed so many times."""

Progress = Callable[[str], None]


def speed(
    shape: Shape, *, stride: int = 8, timed: int = 6, seed: int = 0, progress: Progress = lambda _: None
) -> dict[str, Any]:
    """All four sweeps of a shape (seconds, ratios to the loops, operations beside the floor, share of arithmetic), and
    what reading every component costs.

    `stride`: of positions, in the sweep over all of them. `timed`: cells on which each loop is timed.
    """
    target = shaped(shape, seed=seed)
    stimuli = questions(shape, seed=seed)
    engine = Engine(target)
    batch = engine.adapter.batch(stimuli)
    pace = _pace(target)
    found: dict[str, Any] = {
        "shape": shape.as_json(),
        "positions": batch.width("language"),
        "threads": torch.get_num_threads(),
        "flops_a_second": pace,
        "forward_flops": engine.adapter.flops(batch),
        "jobs": {},
    }
    for job in jobs(shape.layers, shape.heads, batch.width("language"), stride):
        found["jobs"][job.name] = one = _ours(job, target, stimuli, pace)
        progress(f"{shape.name}, {job.name}: {len(job.cells)} cells in {one['seconds']:.2f} s")
        clean, other = (dict(engine.adapter.batch([stimulus]).inputs) for stimulus in stimuli)
        for inputs in (clean, other):
            inputs.pop("position_ids", None)
        one["loops"] = {}
        for name in LOOPS:
            loop = _loop(name, target, job, clean, other, one, timed, seed)
            if loop is not None:
                one["loops"][name] = loop
                progress(
                    f"  {name}: {loop['seconds_a_cell']:.3f} s a cell, {loop['ratio']['value']:.0f} times ours"
                )
        del one["logits"]
    found["scan"] = scan_cost(target, questions(shape, SCANNED, seed))
    progress(f"{shape.name}, all components read: {found['scan']['ratio']['value']:.2f} bare passes")
    found["peak_memory_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )
    return found


def _ours(job: Job, target: Target, stimuli: Any, pace: float) -> dict[str, Any]:
    plan = job.plan(stimuli)
    took: list[float] = []
    while not took or (took[0] < SHORT and len(took) < TIMES):
        engine = Engine(target)
        told = engine.explain(plan)
        began = time.perf_counter()
        outcome = engine.run(plan)
        took.append(time.perf_counter() - began)
    seconds = float(np.mean(took))
    least = floor(job, engine, stimuli)
    return {
        "cells": len(job.cells),
        "stride": job.stride,
        "seconds": seconds,
        "each": took,
        "flops": told.flops,
        "floor_flops": least,
        "flops_over_floor": told.flops / least,
        "loop_flops_over_floor": len(job.cells)
        * engine.adapter.flops(engine.adapter.batch(stimuli[:1]))
        / least,
        "arithmetic_share": told.flops / pace / seconds,
        "explained": str(told),
        "logits": outcome.logits,
    }


def _loop(
    name: str,
    target: Target,
    job: Job,
    clean: dict[str, Tensor],
    other: dict[str, Tensor],
    ours: dict[str, Any],
    timed: int,
    seed: int,
) -> dict[str, Any] | None:
    """Seconds a cell of a loop on a copy of the target, how often ours goes into it, and whether both agree."""
    own = Target(target.name, target.family, copy.deepcopy(target.model), target.processor)
    run = LOOPS[name](own, clean, other, job)
    if run is None:
        return None
    rng = np.random.default_rng([seed, len(job.cells)])
    chosen = rng.permutation(len(job.cells))[:timed].tolist()
    seconds, apart = [], []
    with torch.no_grad():
        run(job.cells[chosen[0]])
        for number in chosen:
            began = time.perf_counter()
            logits = run(job.cells[number])
            seconds.append(time.perf_counter() - began)
            apart.append(float((logits - ours["logits"][number]).abs().max() / ours["logits"].std()))
    each = np.array(seconds)
    ratio = each.mean() * len(job.cells) / ours["seconds"]
    half = 1.96 * ratio * np.hypot(_uncertain(each), _uncertain(np.array(ours["each"])))
    return {
        "seconds_a_cell": float(each.mean()),
        "timed": len(each),
        "ratio": {
            "value": float(ratio),
            "ci": [float(ratio - half), float(ratio + half)],
        },
        "apart": None if name == "bare forward" else max(apart),
        "agrees": None if name == "bare forward" else max(apart) < AGREES,
    }


def _uncertain(seconds: np.ndarray) -> float:
    """Standard error of a mean, as a share of it; 0 of one number, of which none is known."""
    if len(seconds) < 2:
        return 0.0
    return float(seconds.std(ddof=1) / len(seconds) ** 0.5 / seconds.mean())


def _pace(target: Target) -> float:
    """Operations a second of large matrix products on this machine, the best of five."""
    one = torch.randn(PRODUCT, PRODUCT, dtype=target.model.dtype, device=target.device)
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(8):
            one @ one
        if target.device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, (time.perf_counter() - began) / 8)
    return 2 * PRODUCT**3 / best
