"""Training curves: what a training's log says, in a compact record, and the figure drawn from it.

Knows the rows of log.jsonl (loop.py): a training that was stopped and resumed has rows of steps that were taken twice;
the later ones count. The figure needs the record alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import LogLocator, NullFormatter

from experiments.tableau.drawing import FAINT, INK, MARK, TRAINED, plain, save, sheet, titled
from experiments.tableau.floors import FLOORS
from experiments.tableau.train.loop import BEFORE
from store.errors import UserError

HELD_OUT = "heldout "
POINTS = 400
"""Loss values that the record keeps, about; each is a mean over neighboring rows of the log."""
COLUMNS = 5
ANSWERING = ("llava",)


def record(folder: Path) -> dict[str, Any]:
    """The curves of `folder/log.jsonl`, times in minutes of training: stages, loss, held-out figures by name.

    Raises UserError when there is no log.
    """
    path = folder / "log.jsonl"
    if not path.is_file():
        raise UserError(
            f"`{path}` does not exist", hint=f"run `python -m experiments.tableau.train {folder.name}` first"
        )
    rows = counted(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    heldout: dict[str, list[list[float]]] = {}
    for row in rows:
        for name, value in row.items():
            if name.startswith(HELD_OUT):
                heldout.setdefault(name.removeprefix(HELD_OUT), []).append([_minutes(row), value])
    return {
        "name": folder.name,
        "stages": _stages(rows),
        "loss": _losses(rows),
        "heldout": heldout,
    }


def export(training: Path, folder: Path) -> list[Path]:
    """Writes `curves-NAME.json` and, drawn from it, `curves-NAME.png` into the folder.

    A training that went on from committed weights goes on in the record that is there of the one before.
    """
    curves = record(training)
    path = folder / f"curves-{training.name}.json"
    if (training / BEFORE).is_file() and path.is_file():
        curves = joined(json.loads(path.read_text(encoding="utf-8")), curves)
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(curves) + "\n", encoding="utf-8")
    save(draw(curves), path.with_suffix(".png"))
    return [path, path.with_suffix(".png")]


def joined(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """The earlier curves with the later ones behind them; stages of the later ones that are there are replaced."""
    new = {stage["name"] for stage in later["stages"]}
    kept = [place for place, stage in enumerate(earlier["stages"]) if stage["name"] not in new]
    stages = [earlier["stages"][place] for place in kept]
    begin = stages[-1]["to"] if stages else 0.0

    def moved(points: list[list[float]]) -> list[list[float]]:
        return [[round(minute + begin, 4), value] for minute, value in points]

    names = [*earlier["heldout"], *(name for name in later["heldout"] if name not in earlier["heldout"])]
    return {
        "name": later["name"],
        "stages": stages
        + [
            stage | {"from": round(stage["from"] + begin, 2), "to": round(stage["to"] + begin, 2)}
            for stage in later["stages"]
        ],
        "loss": [earlier["loss"][place] for place in kept] + [moved(points) for points in later["loss"]],
        "heldout": {
            name: [point for point in earlier["heldout"].get(name, []) if point[0] <= begin]
            + moved(later["heldout"].get(name, []))
            for name in names
        },
    }


def counted(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows without those of steps that were taken again later."""
    order: dict[str, int] = {}
    kept: list[Mapping[str, Any]] = []
    for row in rows:
        place = (order.setdefault(row["stage"], len(order)), row["step"])
        while kept and (order[kept[-1]["stage"]], kept[-1]["step"]) >= place:
            kept.pop()
        kept.append(row)
    return kept


def draw(curves: Mapping[str, Any]) -> Figure:
    """Loss above, held-out figures below with their floors dashed, over minutes of training; stages are marked."""
    names = list(curves["heldout"])
    rows = math.ceil(len(names) / COLUMNS)
    figure = sheet(12, 3.4 + 1.75 * rows)
    above, below = cast(list[SubFigure], figure.subfigures(2, 1, height_ratios=[2.0, 1.75 * max(rows, 1)]))
    loss = plain(above.subplots())
    for points in curves["loss"]:
        loss.plot(*zip(*points, strict=True), color=TRAINED, linewidth=1)
    loss.set_yscale("log")
    loss.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    loss.yaxis.set_major_formatter("{x:g}")
    loss.yaxis.set_minor_formatter(NullFormatter())
    loss.set_ylabel("training loss", fontsize=9)
    _mark(loss, curves["stages"], named=True)
    panels = below.subplots(max(rows, 1), COLUMNS, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, name in zip(panels, names, strict=False):
        _panel(plain(axes), name, curves)
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    below.supxlabel("minutes of training", fontsize=9)
    below.supylabel("held-out accuracy", fontsize=9)
    return titled(figure, _finding(curves), _caption(curves))


def floors(curves: Mapping[str, Any]) -> list[str]:
    """The held-out figures that have a floor: those of the model that answers questions."""
    return [name for name in curves["heldout"] if name in FLOORS] if curves["name"] in ANSWERING else []


def _panel(axes: Axes, name: str, curves: Mapping[str, Any]) -> None:
    points = curves["heldout"][name]
    axes.plot(*zip(*points, strict=True), color=TRAINED, marker="o", markersize=2.5, linewidth=1.2)
    _mark(axes, curves["stages"], named=False)
    if name in floors(curves):
        axes.axhline(FLOORS[name], color=MARK, linestyle="--", linewidth=1)
    axes.set_title(f"{name}: {points[-1][1]:.3f}", fontsize=9, color=INK)
    axes.set_ylim(-0.03, 1.03)


def _mark(axes: Axes, stages: list[Mapping[str, Any]], *, named: bool) -> None:
    for place, stage in enumerate(stages):
        axes.axvline(stage["from"], color=FAINT, linewidth=0.8, linestyle=":")
        if named:
            axes.annotate(
                f"{stage['name']} ({stage['steps']} steps)",
                (stage["from"], 1),
                xycoords=("data", "axes fraction"),
                xytext=(2, 2 + 11 * (place % 2)),
                textcoords="offset points",
                va="bottom",
                fontsize=8.5,
                color=INK,
            )


def _finding(curves: Mapping[str, Any]) -> str:
    last = {name: points[-1][1] for name, points in curves["heldout"].items()}
    floored = floors(curves)
    spent = f"{curves['stages'][-1]['to']:.0f} minutes"
    if not floored:
        return f"{curves['name']} after {spent} of training"
    met = sum(last[name] >= FLOORS[name] for name in floored)
    reached = f"{met} of {len(floored)} figures of the training loop reach their floors"
    return f"{curves['name']}: {reached} after {spent} of training"


def _caption(curves: Mapping[str, Any]) -> str:
    stages = ", ".join(f"{s['name']} {s['to'] - s['from']:.0f} min" for s in curves["stages"])
    floor = " Dashed: the floor, which is measured on a larger set." if floors(curves) else ""
    return (
        "Held-out figures as the training loop sees them, on a small fixed set; no interval is drawn."
        f"{floor} Dotted: a stage begins ({stages})."
    )


def _stages(rows: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each stage with its last logged step and where it begins and ends in minutes."""
    stages: list[dict[str, Any]] = []
    for row in rows:
        if not stages or stages[-1]["name"] != row["stage"]:
            begin = stages[-1]["to"] if stages else 0.0
            stages.append({"name": row["stage"], "from": begin})
        stages[-1] |= {"steps": row["step"], "to": _minutes(row)}
    return stages


def _losses(rows: list[Mapping[str, Any]]) -> list[list[list[float]]]:
    """(minute, loss) of every stage by itself."""
    stages = dict.fromkeys(row["stage"] for row in rows)
    points = [[[_minutes(row), row["loss"]] for row in rows if row["stage"] == stage] for stage in stages]
    return [_thinned(of_stage, max(POINTS // len(points), 1)) for of_stage in points]


def _thinned(points: list[list[float]], most: int) -> list[list[float]]:
    """At most so many points, each the mean of as many neighbors."""
    size = math.ceil(len(points) / most)
    groups = [points[start : start + size] for start in range(0, len(points), size)]
    return [[round(sum(axis) / len(group), 4) for axis in zip(*group, strict=True)] for group in groups]


def _minutes(row: Mapping[str, Any]) -> float:
    return round(row["seconds"] / 60, 2)
