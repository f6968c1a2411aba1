"""The figure of a ladder: what each seed reached and all together, beside the bar that had to be cleared.

Draws what a ladder's JSON says. Shares of units stand on the left; ratios and differences, which have another scale,
on the right. A row whose bar is missed is printed in another color and with a hollow mark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.tableau.drawing import CONTROL, INK, MARK, TRAINED, plain, sheet, titled

NAMED = 3
"""Missed bars that the title names."""
SIGNS = {"at least": "≥", "at most": "≤", "above": ">"}
SEEDS = "osD^vP"
"""Marks of seeds, in their order; further ones begin anew."""
LOWER, STEP = 0.2, 0.09
"""How far below a row, in rows, the first seed's mark stands, and each further one below that."""


def draw_ladder(record: Mapping[str, Any]) -> Figure:
    """One row a bar."""
    groups = [[row for row in record["bars"] if row["share"] is share] for share in (True, False)]
    shown = [(rows, share) for rows, share in zip(groups, (True, False), strict=True) if rows]
    longest = max((len(rows) for rows, _ in shown), default=1)
    figure = sheet(12.5, 2.2 + 0.36 * longest)
    panels = figure.subplots(
        1, max(len(shown), 1), squeeze=False, width_ratios=[(1, 0.8)[not share] for _, share in shown] or None
    )[0]
    for axes, (rows, share) in zip(panels, shown, strict=False):
        _panel(plain(axes), rows, share)
    if shown:
        panels[0].legend(
            handles=_legend(record),
            loc="upper center",
            bbox_to_anchor=(0.5, -0.1),
            ncols=5,
            fontsize=8,
            frameon=False,
        )
    return titled(figure, finding(record), _caption(record))


def finding(record: Mapping[str, Any]) -> str:
    """The title: how many bars are met over all seeds, and which are not."""
    missed = [row["what"] for row in record["bars"] if not row["pooled"]["met"]]
    every = len(record["bars"])
    told = f"{record['planner']} meets {every - len(missed)} of {every} bars"
    if not missed:
        return told
    more = f" and {len(missed) - NAMED} more" if len(missed) > NAMED else ""
    return f"{told}; it misses {', '.join(missed[:NAMED])}{more}"


def _panel(axes: Axes, rows: Sequence[Mapping[str, Any]], share: bool) -> None:
    for place, row in enumerate(rows):
        found = row["pooled"]
        ink = TRAINED if found["met"] else MARK
        axes.plot([row["bar"]] * 2, [place - 0.36, place + 0.36], color=INK, linewidth=2)
        axes.plot(found["ci"], [place, place], color=ink, linewidth=3, solid_capstyle="butt")
        axes.plot(
            found["value"],
            place,
            "o",
            color=ink if found["met"] else "white",
            markeredgecolor=ink,
            markersize=7.5,
        )
        for number, seed in enumerate(row["seeds"]):
            if seed is not None:
                axes.plot(
                    seed["value"],
                    place + LOWER + STEP * number,
                    SEEDS[number % len(SEEDS)],
                    color=CONTROL,
                    markersize=4,
                )
    axes.set_yticks(range(len(rows)), [_name(row) for row in rows], fontsize=8.5)
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_color(INK if row["pooled"]["met"] else MARK)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    if share:
        axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("share of units" if share else "ratio, or difference in test ρ", fontsize=9)


def _name(row: Mapping[str, Any]) -> str:
    found = row["pooled"]
    verdict = "met" if found["met"] else "missed"
    return f"{row['what']} {SIGNS[row['side']]} {row['bar']:g}: {verdict} (n = {found['n']})"


def _legend(record: Mapping[str, Any]) -> list[Line2D]:
    pooled = Line2D([], [], color=TRAINED, marker="o", linewidth=3, label="all seeds, 95 %")
    bar = Line2D([], [], color=INK, marker="|", linestyle="", markersize=11, label="bar")
    seeds = [
        Line2D(
            [],
            [],
            color=CONTROL,
            marker=SEEDS[place % len(SEEDS)],
            linestyle="",
            markersize=4,
            label=f"seed {seed}",
        )
        for place, seed in enumerate(record["seeds"])
    ]
    return [pooled, bar, *seeds]


def _caption(record: Mapping[str, Any]) -> str:
    cost = record["cost"]
    spent = [f"{cost[name]:,g} {name} a unit" for name in ("seconds", "forwards") if cost[name] is not None]
    measured = "; ".join(filter(None, (f"versions {', '.join(record['versions'])}", ", ".join(spent))))
    return (
        f"{record['target']}, seeds {', '.join(map(str, record['seeds']))}, runs {', '.join(record['runs'])}, "
        f"{measured}. Shares: Wilson, 95 %; ratios and differences: bootstrap over units, 95 %. Met: by the point "
        "estimate; a difference by its whole interval. Hollow: missed."
    )
