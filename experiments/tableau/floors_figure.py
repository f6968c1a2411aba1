"""The figure of a recorded check: accuracy by kind, its floor, chance, and the grey control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.tableau.drawing import CONTROL, FAINT, INK, MARK, TRAINED, plain, sheet, titled
from experiments.tableau.floors import GREY_SLACK, Measured, measured

NAMED = 3
"""Missed floors that the title names; more are told by their number alone."""


def draw_floors(record: Mapping[str, Any]) -> Figure:
    """One row a kind, best known kinds first; everything in shares of right answers."""
    kinds = measured(record)
    figure = sheet(10, 1.7 + 0.42 * len(kinds))
    axes = plain(figure.subplots())
    for row, kind in enumerate(kinds):
        _row(axes, row, kind)
    names = [f"{kind.kind}\n{kind.value:.3f}" for kind in kinds]
    axes.set_yticks(range(len(kinds)), names, fontsize=9)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.01)
    axes.set_xlabel("share of right answers", fontsize=9)
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.legend(handles=_legend(), loc="center", bbox_to_anchor=(0.64, 0.5), fontsize=8.5)
    return titled(figure, finding(record["target"], kinds), _caption(record, kinds))


def finding(target: str, kinds: Sequence[Measured]) -> str:
    """The title: how many floors are met, which are not, and whether the picture is really used."""
    missed = [kind.kind for kind in kinds if not kind.met]
    seeing = [kind.kind for kind in kinds if kind.blind is False]
    met = f"{target} meets {len(kinds) - len(missed)} of {len(kinds)} floors"
    but = f" (not {', '.join(missed)})" if 0 < len(missed) <= NAMED else ""
    grey = (
        f"before a grey picture {', '.join(seeing)} stays more than {100 * GREY_SLACK:.0f} points above chance"
        if seeing
        else "before a grey picture every kind falls to chance"
    )
    return f"{met}{but}; {grey}"


def _row(axes: Axes, row: int, kind: Measured) -> None:
    low, high = kind.ci
    axes.plot([low, high], [row, row], color=TRAINED, linewidth=3, solid_capstyle="butt")
    axes.plot(kind.value, row, "o", color=TRAINED, markersize=7)
    axes.plot(kind.floor, row, "|", color=MARK, markersize=19, markeredgewidth=2)
    if kind.chance is not None and kind.grey is not None:
        axes.plot(kind.chance, row, "|", color=FAINT, markersize=12)
    if kind.grey is not None and kind.grey_ci is not None:
        axes.plot(kind.grey_ci, [row, row], color=CONTROL, linewidth=3, solid_capstyle="butt")
        axes.plot(kind.grey, row, "s", color="white", markeredgecolor=INK, markersize=6)


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], color=TRAINED, marker="o", label="accuracy"),
        Line2D([], [], color=MARK, marker="|", markersize=14, linestyle="", label="floor"),
        Line2D([], [], color="white", marker="s", markeredgecolor=INK, linestyle="", label="grey picture"),
        Line2D([], [], color=FAINT, marker="|", markersize=11, linestyle="", label="chance"),
    ]


def _caption(record: Mapping[str, Any], kinds: Sequence[Measured]) -> str:
    smallest = min(kinds, key=lambda kind: kind.n)
    return (
        f"Balanced questions about fresh scenes, n = {record['n']} a kind ({smallest.kind}: {smallest.n}), seed "
        f"{record['seed']}; 95 % intervals. counting: mean over its answers; caption: things whose size, fill, color "
        "and shape a caption names. Control: the same questions before a picture that is the same grey everywhere, "
        f"which may leave at most {100 * GREY_SLACK:.0f} points above chance. context is asked without a picture."
    )
