"""The figure of the proof: every suspicion of every audit, beside what was measured apart from it.

Draws what the proof's JSON says: one row a suspicion, one panel a model, a mark for each seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.audit.survey import MATTERS
from experiments.tableau.drawing import CONTROL, INK, MARK, TRAINED, plain, sheet, titled

INKS = {"yes": MARK, "no": TRAINED, "undetermined": CONTROL}
SHAPES = {"yes": "D", "no": "o", "undetermined": "x"}
WORDS = {"yes": "found", "no": "refuted", "undetermined": "open"}
STEP = 0.17
"""How far apart the seeds of a row are drawn, in rows."""


def draw_audits(record: Mapping[str, Any]) -> Figure:
    """One panel a model."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in record["statements"]:
        groups.setdefault(row["target"], []).append(row)
    figure = sheet(13, 1.9 + 0.31 * sum(len(rows) + 1.4 for rows in groups.values()))
    panels = figure.subplots(
        len(groups), 1, squeeze=False, sharex=True, height_ratios=[len(rows) + 1 for rows in groups.values()]
    )[:, 0]
    for axes, (target, rows) in zip(panels, groups.items(), strict=True):
        _panel(plain(axes), target, rows)
    panels[-1].set_xlabel("effect beyond its control, share of replies", fontsize=9)
    panels[-1].legend(handles=_legend(), loc="center right", fontsize=8, frameon=False)
    return titled(figure, finding(record), _caption(record))


def finding(record: Mapping[str, Any]) -> str:
    """The title: recall, naming, and false findings with their bar."""
    found, named, false = record["found"], record["found and named"], record["false"]["all"]
    told = []
    if found:
        told.append(f"Audits find {_of(found)} planted reliances and name what carries {_of(named)}")
    told.append(
        f"{_of(false)} verdicts are false findings (at most {false['ci'][1]:.1%} with 95 % certainty)"
    )
    return "; ".join(told)


def _of(share: Mapping[str, Any]) -> str:
    return f"{share['of'][0]} of {share['of'][1]}"


def _panel(axes: Axes, target: str, rows: Sequence[Mapping[str, Any]]) -> None:
    axes.axvline(0.0, color=INK, linewidth=0.8)
    axes.axvline(MATTERS, color=INK, linewidth=0.8, linestyle=":")
    for place, row in enumerate(rows):
        for number, one in enumerate(row["audits"]):
            height = place - STEP + STEP * number
            ink = INKS[one["verdict"]]
            axes.plot(one["excess_ci"], [height, height], color=ink, linewidth=1.6)
            axes.plot(one["excess"], height, SHAPES[one["verdict"]], color=ink, markersize=4)
        if apart := next((one["apart"] for one in row["audits"] if one["apart"]), None):
            height = place + STEP * len(row["audits"])
            axes.plot(apart["ci"], [height, height], color=INK, linewidth=1)
            axes.plot(apart["value"], height, "|", color=INK, markersize=8)
    names = [f"{row['name']} (n = {row['audits'][0]['n']})" for row in rows]
    axes.set_yticks(range(len(rows)), names, fontsize=8.5)
    axes.set_ylim(len(rows) - 0.3, -0.6)
    axes.set_title(target, loc="left", fontsize=10, color=INK)


def _legend() -> list[Line2D]:
    marks = [
        Line2D([], [], color=ink, marker=SHAPES[verdict], markersize=4, label=WORDS[verdict])
        for verdict, ink in INKS.items()
    ]
    return [*marks, Line2D([], [], color=INK, marker="|", linewidth=1, label="measured apart")]


def _caption(record: Mapping[str, Any]) -> str:
    seeds = ", ".join(map(str, record["seeds"]))
    told = (
        f"Seeds {seeds}; n: pictures an arm; bars: 95 %. Dotted: five points, from which on an effect matters. "
        "Measured apart: gaps by the accuracies of the models' cards (n = 500 a side), all else on the pictures of the "
        "other seeds' audits. False: found, though the whole interval of what was measured apart lies below two points."
    )
    if innocent := record["found where nothing was planted"]:
        told += f" Where nothing was planted, {_of(innocent)} suspicions were found at all."
    if not record["carried"]:
        return told
    beyond = record["carried"]["beyond random"]
    low, high = beyond["ci"]
    return told + (
        " On pictures that the search has not seen, silencing the named components takes away "
        f"{beyond['value']:.0%} [{low:.0%}, {high:.0%}] more of the cue's answers "
        f"than silencing random ones (n = {beyond['n']})."
    )
