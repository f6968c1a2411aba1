"""The figure of a recorded logit lens: the answer's word over the layers, by kind of question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.tableau.drawing import CONTROL, INK, TRAINED, plain, sheet, titled

Record = Mapping[str, Any]
COLUMNS = 4
LINES: tuple[tuple[str, str, Literal["-", "--"]], ...] = (
    ("untrained", CONTROL, "--"),
    ("trained", TRAINED, "-"),
)


def draw_lens(record: Record) -> Figure:
    """One panel a kind: mean probability of the right answer's word after every layer, with 95 % bands."""
    kinds = list(record["trained"])
    rows = -(-len(kinds) // COLUMNS)
    figure = sheet(12, 1.4 + 2.1 * rows)
    panels = figure.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False)
    for axes, kind in zip(panels.ravel(), kinds, strict=False):
        _panel(plain(axes), record, kind)
    for axes in panels.ravel()[len(kinds) :]:
        axes.set_visible(False)
    for axes in panels[-1]:
        axes.set_xlabel("after layer", fontsize=9)
    for axes in panels[:, 0]:
        axes.set_ylabel("probability of\nthe answer's word", fontsize=9)
    lines = [Line2D([], [], color=ink, linestyle=line, label=name) for name, ink, line in LINES]
    panels[0, 0].legend(handles=lines, fontsize=8.5, frameon=False, loc="upper left")
    return titled(figure, finding(record), _caption(record))


def finding(record: Record) -> str:
    """The title: between which layers the answer appears, among the kinds in which it rises at all."""
    half = {
        kind: halfway([step["probability"]["value"] for step in steps])
        for kind, steps in record["trained"].items()
        if steps[-1]["probability"]["ci"][0] > record["untrained"][kind][-1]["probability"]["ci"][1]
    }
    if not half:
        return "The answer's word never rises above what it is in an untrained copy"
    first, last = min(half, key=half.__getitem__), max(half, key=half.__getitem__)
    layers = len(next(iter(record["trained"].values()))) - 1
    if half[first] == half[last]:
        when = f"in layer {half[first]} of 0–{layers - 1}"
    else:
        when = f"in layers {half[first]} ({first}) to {half[last]} ({last}) of 0–{layers - 1}"
    flat = [kind for kind in record["trained"] if kind not in half]
    return f"The answer's word passes half of its final probability {when}" + (
        f"; it does not rise in {', '.join(flat)}" if flat else ""
    )


def halfway(values: Sequence[float]) -> int:
    """The layer after which a probability is first at least half of the last one; −1 is the embedding."""
    return next(index for index, value in enumerate(values) if value >= values[-1] / 2) - 1


def _panel(axes: Axes, record: Record, kind: str) -> None:
    for name, ink, line in LINES:
        steps = record[name][kind]
        low, high = np.array([step["probability"]["ci"] for step in steps]).T
        axes.fill_between(range(len(steps)), low, high, color=ink, alpha=0.25, linewidth=0)
        values = [step["probability"]["value"] for step in steps]
        axes.plot(values, color=ink, linestyle=line, marker="o", markersize=3)
        axes.set_xticks(range(len(steps)), ["embed", *map(str, range(len(steps) - 1))])
    axes.set_title(kind, fontsize=10, color=INK)
    axes.set_ylim(-0.03, 1.03)


def _caption(record: Record) -> str:
    return (
        "Logit lens at the last position: softmax(W_U · norm(h)) after every layer, over the whole vocabulary. Bands: "
        f"95 % bootstrap intervals over n = {record['n']} balanced questions a kind. Control: the same questions to an "
        "untrained copy."
    )
