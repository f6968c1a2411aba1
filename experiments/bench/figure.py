"""The figure of a bench: where labels fail, kind by kind, and how labels without experiments do there.

Draws what the report's JSON says. Every unit falls into one of four outcomes; shades differ in lightness, and kinds
outside the planner's grammar stand apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from experiments.bench.report import DESCRIBED
from experiments.tableau.drawing import CONTROL, FAINT, INK, MARK, TRAINED, plain, sheet, titled

OUTCOMES = {"exact": TRAINED, "part of it": "#8fb4d9", "something else": MARK, "nothing": "#e4e4e4"}
"""What was said of a unit, and its shade."""
MARKS = {"one_shot": "^", "best_match": "D", "linear": "s", "random_text": "x", "first_candidate": "v"}
WORST = 2
"""Kinds that the title names."""


def draw_bench(record: Mapping[str, Any]) -> Figure:
    """One row a kind: shares of outcomes on the left, exact concepts beside the baselines on the right."""
    kinds = [kind for kind in DESCRIBED if record["kinds"][kind]]
    kinds.sort(key=lambda kind: kind in record["outside_grammar"])
    figure = sheet(11, 2.2 + 0.42 * len(kinds))
    left, right = (plain(axes) for axes in figure.subplots(1, 2, sharey=True))
    for row, kind in enumerate(kinds):
        _outcomes(left, row, [outcome(unit) for unit in record["units"] if unit["kind"] == kind])
        _exact(right, row, kind, record)
    apart = sum(kind not in record["outside_grammar"] for kind in kinds)
    for axes in (left, right):
        axes.axhline(apart - 0.5, color=FAINT, linewidth=0.8, linestyle=":")
    left.set_yticks(range(len(kinds)), [_name(kind, record) for kind in kinds], fontsize=9)
    left.invert_yaxis()
    left.set_xlim(0, 1)
    right.set_xlim(-0.02, 1.02)
    left.set_xlabel("share of units", fontsize=9)
    right.set_xlabel("share of exact concepts", fontsize=9)
    right.legend(
        handles=_legend(record), loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize=8, frameon=False
    )
    return titled(figure, finding(record), _caption(record))


def outcome(unit: Mapping[str, Any]) -> str:
    """Which of OUTCOMES a unit's label is."""
    if not unit["said"]:
        return "nothing"
    if unit["exact"]:
        return "exact"
    return "part of it" if unit["recall"] > 0 else "something else"


def finding(record: Mapping[str, Any]) -> str:
    """The title: how often labels are exact inside the grammar, and where they fail most."""
    inside = {
        kind: found
        for kind, found in record["kinds"].items()
        if found and kind not in record["outside_grammar"]
    }
    if not inside:
        return f"{record['planner']}: no unit with something to say about it was measured"
    n = sum(found["n"] for found in inside.values())
    exact = sum(found["exact"] * found["n"] for found in inside.values()) / n
    worst = sorted(
        (kind for kind in inside if inside[kind]["exact"] < 1), key=lambda kind: inside[kind]["exact"]
    )
    told = ", ".join(f"{kind.replace('_', ' ')} ({inside[kind]['exact']:.0%})" for kind in worst[:WORST])
    return f"{record['planner']} says the very concept of {exact:.0%} of units" + (
        f"; it fails most on {told}" if told else " of every kind"
    )


def _outcomes(axes: Axes, row: int, outcomes: Sequence[str]) -> None:
    start = 0.0
    for name, shade in OUTCOMES.items():
        share = outcomes.count(name) / max(len(outcomes), 1)
        axes.barh(row, share, left=start, height=0.62, color=shade, edgecolor="white", linewidth=0.8)
        start += share


def _exact(axes: Axes, row: int, kind: str, record: Mapping[str, Any]) -> None:
    found = record["kinds"][kind]
    axes.plot(found["ci"], [row, row], color=TRAINED, linewidth=3, solid_capstyle="butt")
    axes.plot(found["exact"], row, "o", color=TRAINED, markersize=7)
    for place, (name, baseline) in enumerate(_baselines(record)):
        if share := baseline["kinds"].get(kind):
            lift = 0.14 + 0.1 * place
            axes.plot(share["rate"], row + lift, MARKS[name], **_hollow(name))


def _baselines(record: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(name, found) for name, found in record["baselines"].items() if found]


def _hollow(name: str) -> dict[str, Any]:
    return {
        "color": CONTROL if name == "random_text" else "white",
        "markeredgecolor": INK,
        "markersize": 5,
        "linestyle": "",
    }


def _legend(record: Mapping[str, Any]) -> list[Line2D | Patch]:
    planner = Line2D([], [], color=TRAINED, marker="o", label=record["planner"])
    others = [
        Line2D([], [], marker=MARKS[name], label=name.replace("_", " "), **_hollow(name))
        for name, _ in _baselines(record)
    ]
    return [*(Patch(color=shade, label=name) for name, shade in OUTCOMES.items()), planner, *others]


def _name(kind: str, record: Mapping[str, Any]) -> str:
    return f"{kind.replace('_', ' ')} (n = {record['kinds'][kind]['n']})"


def _caption(record: Mapping[str, Any]) -> str:
    claims = {name: found for name, found in record["false_claims"].items() if found}
    told = "; ".join(f"{name} {found['rate']:.0%} of {found['n']}" for name, found in claims.items())
    return (
        f"{record['target']}, seed {record['seed']}, run {record['run']}, version {record['version']}. Intervals: "
        "Wilson, 95 %. Below the dotted line: kinds that the planner's grammar can't say. Hollow marks: labels without "
        f"experiments, tested the same way. False claims: {told or 'none measured'}."
    )
