"""The training loop: stages of steps that can be killed at any moment and go on where they were.

Knows schedules, checkpoints, progress and the log; knows nothing about models or data, which a recipe (clip.py,
llava.py, judge.py) hands in. Checkpoints replace one another atomically; snapshots stay.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from experiments.tableau.train.batches import stream
from experiments.tableau.train.descent import Average, Optimizers
from store.errors import UserError

BEFORE = "before.json"
"""In a training that goes on from other weights: what is known about their training."""
SAVE_EVERY = 120.0
"""Seconds between checkpoints."""
REPORT_EVERY = 10.0
"""Seconds between progress lines and log rows."""
WARMUP = 60
FLOOR = 0.05
"""Steps of linear warm-up at the start of a stage, and the share of the peak rate at its end."""


class Outcome(NamedTuple):
    """What a step's forward pass gives: the loss to descend, and figures to report."""

    loss: Tensor
    figures: dict[str, float]


@dataclass(frozen=True)
class Stage:
    """One stretch of training.

    `rates` maps prefixes of parameter names to peak learning rates; the longest prefix that fits a parameter counts,
    and what no prefix fits is frozen. `snapshots` are shares of the stage at which the weights are kept. With an
    `average` above 0 the stage ends with averaged weights, of which each step leaves that share as it was; snapshots
    and evaluations are of these.
    """

    name: str
    steps: int
    rates: dict[str, float]
    make: Callable[[int], Any]
    loss: Callable[[Any], Outcome]
    snapshots: tuple[float, ...] = (1.0,)
    average: float = 0.0


@dataclass
class Place:
    """Where the training stands."""

    stage: int = 0
    step: int = 0
    seconds: float = 0.0


def train(
    folder: Path,
    model: nn.Module,
    stages: list[Stage],
    evaluate: Callable[[], dict[str, float]],
    *,
    device: torch.device,
    workers: int = 1,
    evaluate_every: int = 250,
    first: int = 0,
) -> Place:
    """Runs all stages from where `folder/state.pt` says, and leaves `model` at the end of the last.

    Where there is no state yet, begins with stage number `first`.
    Figures go to `folder/log.jsonl`, snapshots to `folder/snapshots/STAGE-STEP.safetensors` (fp16).
    """
    (folder / "snapshots").mkdir(parents=True, exist_ok=True)
    place, state = _resume(folder, model, Place(first))
    model.to(device)
    while place.stage < len(stages):
        stage = stages[place.stage]
        optimizer = Optimizers(model, stage.rates)
        average = Average(model, stage.average)
        if state.get("optimizer"):
            optimizer.load_state_dict(state["optimizer"])
        if state.get("average"):
            average.load_state_dict(state["average"])
        state = {}
        try:
            _run_stage(
                folder, model, stages, place, optimizer, average, evaluate, device, workers, evaluate_every
            )
        except KeyboardInterrupt:
            _save(folder, model, place, optimizer, average)
            print(
                f"stopped at {stage.name} {place.step}; the same command goes on from here", file=sys.stderr
            )
            raise
        average.exchange()
        place.stage, place.step = place.stage + 1, 0
        _save(folder, model, place, finished=place.stage == len(stages))
    return place


def finished_weights(folder: Path) -> dict[str, Tensor]:
    """The weights at the end of a training; raises UserError for one that has not run its course."""
    path = folder / "state.pt"
    state = torch.load(path, map_location="cpu", weights_only=True) if path.exists() else {}
    if not state.get("finished"):
        raise UserError(
            f"the training in `{folder}` is not finished",
            kind="untrained",
            hint=f"run `python -m experiments.tableau.train {folder.name}` until it ends",
        )
    return dict(state["model"])


def stages_run(folder: Path) -> list[dict[str, Any]]:
    """The stages that a training has run, with their steps and seconds; after those it went on from, if any."""
    last: dict[str, dict[str, Any]] = {}
    for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        last[row["stage"]] = row
    stages = _earlier_stages(folder)
    before = 0.0
    for name, row in last.items():
        stages.append({"name": name, "steps": row["step"], "seconds": row["seconds"] - before})
        before = row["seconds"]
    return list(stages)


def steps_before(folder: Path, name: str) -> int:
    """How many steps of the stage of this name the trainings ran that this one goes on from."""
    return sum(int(stage["steps"]) for stage in _earlier_stages(folder) if stage["name"] == name)


def _earlier_stages(folder: Path) -> list[dict[str, Any]]:
    earlier = folder / BEFORE
    return json.loads(earlier.read_text(encoding="utf-8"))["stages"] if earlier.exists() else []


def learned_so_far(folder: Path, model: nn.Module) -> Place:
    """Gives the model the weights of a training, finished or not: the averaged ones where it keeps an average.

    Raises UserError where there is none.
    """
    if not (folder / "state.pt").exists():
        raise UserError(f"`{folder}` holds no training", kind="untrained", hint="begin one first")
    place, state = _resume(folder, model, Place())
    if state.get("average"):
        for one, averaged in zip(model.parameters(), state["average"], strict=True):
            one.detach().copy_(averaged)
    return place


def _run_stage(
    folder: Path,
    model: nn.Module,
    stages: list[Stage],
    place: Place,
    optimizer: Optimizers,
    average: Average,
    evaluate: Callable[[], dict[str, float]],
    device: torch.device,
    workers: int,
    evaluate_every: int,
) -> None:
    stage = stages[place.stage]
    keep_at = {max(1, round(share * stage.steps)) for share in stage.snapshots}
    started = saved = reported = time.monotonic()
    first, spent_before = place.step, place.seconds
    model.train()
    for batch in stream(stage.make, place.step, stage.steps, workers):
        optimizer.set_rate(schedule(place.step, stage.steps))
        with torch.autocast(device.type, torch.bfloat16):
            outcome = stage.loss(to_device(batch, device))
        outcome.loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update(place.step)
        place.step += 1
        now = time.monotonic()
        place.seconds = spent_before + now - started
        if place.step in keep_at:
            with average:
                snapshot(model, folder / "snapshots" / f"{stage.name}-{place.step:05d}.safetensors")
        row: dict[str, Any] = {}
        if place.step % evaluate_every == 0 or place.step == stage.steps:
            model.eval()
            with average, torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
                row |= {f"heldout {name}": round(value, 4) for name, value in evaluate().items()}
            model.train()
        if row or now - reported > REPORT_EVERY:
            pace = (now - started) / (place.step - first)
            ahead = stage.steps - place.step
            row |= {"stage": stage.name, "step": place.step, "loss": round(float(outcome.loss.detach()), 4)}
            row |= {name: round(value, 4) for name, value in outcome.figures.items()}
            row |= {"pace": round(pace, 3), "seconds": round(place.seconds)}
            _report(row, stage, ahead * pace)
            with (folder / "log.jsonl").open("a") as log:
                log.write(json.dumps(row) + "\n")
            reported = now
        if now - saved > SAVE_EVERY:
            _save(folder, model, place, optimizer, average)
            saved = now


def schedule(step: int, steps: int) -> float:
    """Share of the peak learning rate at a step: linear warm-up, then a cosine down to FLOOR."""
    warmup = min(WARMUP, max(steps // 10, 1))
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / max(steps - warmup, 1)
    return FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * progress))


def to_device(batch: Any, device: torch.device) -> Any:
    """The same (nested) named tuple with its tensors on the device."""
    if isinstance(batch, Tensor):
        return batch.to(device, non_blocking=True)
    return type(batch)(*(to_device(part, device) for part in batch))


def snapshot(model: nn.Module, path: Path) -> None:
    """Keeps the weights in fp16 under a temporary name first."""
    tensors = {
        name: value.detach().half().contiguous().cpu().clone() for name, value in model.state_dict().items()
    }
    partial = path.with_suffix(".partial")
    save_file(tensors, partial)
    partial.replace(path)


def _save(
    folder: Path,
    model: nn.Module,
    place: Place,
    optimizer: Optimizers | None = None,
    average: Average | None = None,
    *,
    finished: bool = False,
) -> None:
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict() if optimizer else None,
        "average": average.state_dict() if average else None,
        "place": (place.stage, place.step, place.seconds),
        "finished": finished,
    }
    partial = folder / "state.partial"
    torch.save(state, partial)
    partial.replace(folder / "state.pt")


def _resume(folder: Path, model: nn.Module, start: Place) -> tuple[Place, dict[str, Any]]:
    """Where the training goes on, and the saved state; the model has its weights."""
    path = folder / "state.pt"
    if not path.exists():
        return start, {}
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if state["model"].keys() != model.state_dict().keys():
        raise UserError(
            f"`{path}` belongs to another recipe: its parameters have other names",
            kind="other_recipe",
            hint=f"move `{folder}` away to begin anew",
        )
    model.load_state_dict(state["model"])
    stage, step, seconds = state["place"]
    print(f"resuming from {path} at stage {stage}, step {step}", file=sys.stderr)
    return Place(stage, step, seconds), state


def _report(row: dict[str, Any], stage: Stage, left: float) -> None:
    """One line of progress for a person."""
    shown = {name: value for name, value in row.items() if name not in ("stage", "step", "seconds", "pace")}
    figures = "  ".join(f"{name} {value:.3f}" for name, value in shown.items())
    print(
        f"{stage.name} {row['step']}/{stage.steps}  {row['pace']:.2f} s/step  "
        f"{left / 60:.1f} min left in stage  {figures}",
        file=sys.stderr,
        flush=True,
    )
