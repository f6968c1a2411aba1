"""The figure of a V-SEAM reproduction, from its record alone: heads by level, what kinds share, and rescaling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.tableau.drawing import CONTROL, FAINT, INK, MARK, TRAINED, plain, sheet, titled

Record = Mapping[str, Any]
PRINTED = 0.1
SHARED = (
    ("within", "two kinds of one level", TRAINED, "o"),
    ("across", "two kinds of different levels", MARK, "D"),
    ("halves", "two halves of one kind", FAINT, "s"),
)
CHANGED = (
    ("own", "change", "the level's own kinds", TRAINED, "o"),
    ("own", "control", "own kinds, random heads rescaled", CONTROL, "s"),
    ("others", "change", "all other kinds", MARK, "D"),
)
ALLOWED = -1.0
"""Points that other kinds may lose."""


def draw_vseam(record: Record) -> Figure:
    """Left: each head's share by level. Right: sharing above, change of accuracy below."""
    heads = list(next(iter(record["levels"].values()))["shares"])
    figure = sheet(13, 3.2 + 0.2 * max(len(heads), 24))
    panels = figure.subplot_mosaic(
        [["heads", "sharing"], ["heads", "accuracy"]], width_ratios=[0.8, 1], height_ratios=[1, 1.25]
    )
    _shares(panels["heads"], record, heads)
    _sharing(plain(panels["sharing"]), record)
    _accuracy(plain(panels["accuracy"]), record)
    return titled(figure, f"V-SEAM on {record['target']}: {record['finding']}", caption(record))


def caption(record: Record) -> str:
    """n, intervals, controls."""
    chance, factors = record["sharing"]["positive"]["chance"], record["factors"]
    return (
        f"Denoising: each head of the clean run moved into the run on the edited picture (n = {record['n']} pairs a "
        f"kind, {record['editor']} editor); share of the logit gap, mean over the level's kinds. Marked: the "
        f"{record['k']} most positive (+) and negative (−) heads of a level, whose outputs are multiplied by "
        f"{factors['positive']:g} and {factors['negative']:g} on {record['held_out']} questions a kind that no head "
        f"was chosen on. Two random sets of as many heads have a Jaccard index of {chance:.2f}. Lines: 95 % bootstrap "
        "over pairs, or over questions (paired); of halves, over ways to split. Dashed below: a point."
    )


def _shares(axes: Axes, record: Record, heads: list[str]) -> None:
    levels = list(record["levels"])
    table = np.array([[record["levels"][level]["shares"][head] for level in levels] for head in heads])
    top = max(0.05, float(np.abs(table).max()))
    axes.imshow(table, cmap="RdBu", vmin=-top, vmax=top, aspect="auto")
    for row, head in enumerate(heads):
        for column, level in enumerate(levels):
            rescaled, share = record["rescaling"][level], table[row, column]
            mark = " +" if head in rescaled["louder"] else " −" if head in rescaled["quieter"] else ""
            if mark or abs(share) >= PRINTED * top:
                ink = "white" if abs(share) > 0.6 * top else INK
                axes.text(
                    column, row, f"{100 * share:.1f}{mark}", ha="center", va="center", fontsize=7.5, color=ink
                )
    axes.set_yticks(range(len(heads)), heads, fontsize=7.5)
    names = [f"{level}\n({', '.join(record['levels'][level]['kinds'])})" for level in levels]
    axes.set_xticks(range(len(levels)), names, fontsize=8)
    axes.set_title("share of the gap restored, %", fontsize=10, color=INK, loc="left")


def _sharing(axes: Axes, record: Record) -> None:
    signs = list(record["sharing"])
    for place, (name, label, ink, mark) in enumerate(SHARED):
        for row, sign in enumerate(signs):
            found, at = record["sharing"][sign][name], row + 0.22 * (place - 1)
            axes.plot(found["ci"], [at, at], color=ink, linewidth=2)
            axes.plot(found["value"], at, mark, color=ink, markersize=7)
        axes.plot([], [], mark, color=ink, linewidth=2, linestyle="-", label=label)
    axes.axvline(record["sharing"][signs[0]]["chance"], color=FAINT, linewidth=1, linestyle="--")
    names = [f"{sign} heads\n(p = {record['sharing'][sign]['p']:.2f})" for sign in signs]
    axes.set_yticks(range(len(signs)), names, fontsize=8.5)
    axes.set_ylim(len(signs) - 0.4, -0.6)
    axes.set_xlim(0, 1.02)
    axes.legend(loc="upper center", bbox_to_anchor=(0.45, -0.1), ncols=3, fontsize=8, frameon=False)
    title = f"Jaccard index of the {record['k']} heads (dashed: by chance)"
    axes.set_title(title, fontsize=9.5, color=INK, loc="left")


def _accuracy(axes: Axes, record: Record) -> None:
    levels = list(record["rescaling"])
    for place, (whose, what, label, ink, mark) in enumerate(CHANGED):
        for row, level in enumerate(levels):
            part = record["rescaling"][level][whose]
            if part is None:
                continue
            at = row + 0.22 * (place - 1)
            axes.plot([100 * end for end in part[what]["ci"]], [at, at], color=ink, linewidth=2)
            axes.plot(100 * part[what]["value"], at, mark, color=ink, markersize=7)
        axes.plot([], [], mark, color=ink, linewidth=2, linestyle="-", label=label)
    axes.axvline(0, color=INK, linewidth=1)
    axes.axvline(ALLOWED, color=FAINT, linewidth=1, linestyle="--")
    names = [f"{level}\n({100 * record['rescaling'][level]['own']['accuracy']:.1f} %)" for level in levels]
    axes.set_yticks(range(len(levels)), names, fontsize=8.5)
    axes.set_ylim(len(levels) - 0.4, -0.6)
    axes.legend(loc="upper center", bbox_to_anchor=(0.45, -0.08), ncols=3, fontsize=8, frameon=False)
    title = "change of accuracy, points (in brackets: accuracy untouched)"
    axes.set_title(title, fontsize=9.5, color=INK, loc="left")
