"""The figure of a NOTICE reproduction, from its record alone: heads by kind, distances from the data, agreement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from experiments.tableau.drawing import CONTROL, FAINT, INK, MARK, TRAINED, plain, sheet, titled

Record = Mapping[str, Any]
SIDES = ("untouched", "SIP", "STR", "GN")
NAMES = {
    "untouched": "untouched",
    "SIP": "edited picture",
    "STR": "other word",
    "GN": "noise",
}
INKS = {"untouched": CONTROL, "SIP": TRAINED, "STR": FAINT, "GN": MARK}
DISTANCES = (("norm picture", "norm words"), ("neighbors picture", "neighbors words"))
"""Panels: a distance, and the tokens over which it is taken."""
TITLES = {"norm": "|z| of the norm", "neighbors": "z of distance"}
LIKE_DATA = {"norm": 0.8, "neighbors": 0.0}
"""What runs like those of the reference reach."""
PRINTED = 0.1
"""Shares below this are left without a number."""


def draw_notice(record: Record) -> Figure:
    """Left: share of the gap that each head restores, by kind. Right: distances, and how alike rankings are."""
    heads = _heads(record)
    figure = sheet(13, 3.2 + 0.2 * max(len(heads), 24))
    panels = figure.subplot_mosaic(
        [["heads", *row] for row in (*DISTANCES, ("agreement", "agreement"))],
        width_ratios=[1, 0.55, 0.5],
        height_ratios=[1, 1, 2.4],
    )
    _shares(panels["heads"], record, heads)
    for row in DISTANCES:
        for name in row:
            _distance(panels[name], record, *name.split())
    _agreement(plain(panels["agreement"]), record)
    return titled(figure, f"NOTICE on {record['target']}: {record['finding']}", caption(record))


def caption(record: Record) -> str:
    """n, intervals, controls."""
    universal, loss = record["universal"], record["ablation"]
    gaps = [
        found["untrained_gap"]["value"]
        for one in record["kinds"].values()
        for found in one["corruptions"].values()
        if "untrained_gap" in found
    ]
    untrained = f"A never-trained copy's gap is at most {max(map(abs, gaps)):.2f} logits. " if gaps else ""
    lost = (
        f"Silenced at their means: {', '.join(loss['heads'])}; accuracy {_told(loss['change'])}, "
        f"{loss['control_sets']} random sets {_told(loss['control'])}, n = {loss['change']['n']}. "
        if loss
        else ""
    )
    return (
        "Denoising: each head of the clean run moved into the run on the edited picture; share of the logit gap, "
        f"ratio of sums, n = {record['n']} pairs a kind. Outlined: beyond what tossed sides give any head in 19 of 20 "
        "cases; bold: universal, with its role (d detection, i inhibition, o outlier, – none). Inside layers, "
        f"{universal['expected_within_layers']:.1f} heads would recur by chance. {untrained}{lost}"
        f"Edits by the {record['editor']} editor; noise of {record['noise']['chosen']:g} of a pixel's range. "
        "Distances: to the nearest untouched runs; dashed: like the data. Bars and lines: 95 % bootstrap over pairs."
    )


def _told(found: Record) -> str:
    low, high = (100 * end for end in found["ci"])
    return f"{100 * found['value']:+.1f} [{low:+.1f}, {high:+.1f}] points"


def _heads(record: Record) -> list[str]:
    shares = next(
        found["shares"]
        for one in record["kinds"].values()
        for found in one["corruptions"].values()
        if "shares" in found
    )
    return list(shares)


def _shares(axes: Axes, record: Record, heads: list[str]) -> None:
    table = _table(record, heads)
    top = max(0.1, float(np.nanmax(np.abs(table))))
    axes.imshow(table, cmap="RdBu", vmin=-top, vmax=top, aspect="auto")
    for row, column in np.argwhere(np.abs(table) >= PRINTED * top):
        share = table[row, column]
        ink = "white" if abs(share) > 0.6 * top else INK
        axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=7, color=ink)
    kinds = list(record["kinds"])
    for column, kind in enumerate(kinds):
        chance = record["kinds"][kind]["corruptions"]["SIP"].get("chance", np.inf)
        for row in np.flatnonzero(np.abs(table[:, column]) > chance):
            axes.add_patch(
                Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=MARK, linewidth=1.2)
            )
    roles = {one["component"]: one["role"] for one in record["universal"]["heads"]}
    letters = {"detection": "d", "inhibition": "i", "outlier": "o", "none": "–"}
    axes.set_yticks(
        range(len(heads)),
        [f"{head} ({letters[roles[head]]})" if head in roles else head for head in heads],
        fontsize=7.5,
    )
    for label, head in zip(axes.get_yticklabels(), heads, strict=True):
        label.set_fontweight("bold" if head in roles else "normal")
        label.set_color(INK if head in roles else FAINT)
    axes.set_xticks(range(len(kinds)), kinds, fontsize=8.5, rotation=25, ha="right", rotation_mode="anchor")
    axes.set_title("share of the gap restored, % (edited pictures)", fontsize=10, color=INK, loc="left")


def _table(record: Record, heads: list[str]) -> Float[np.ndarray, "head kind"]:
    return np.array(
        [
            [
                one["corruptions"]["SIP"].get("shares", {}).get(head, {"value": np.nan})["value"]
                for one in record["kinds"].values()
            ]
            for head in heads
        ]
    )


def _distance(axes: Axes, record: Record, measure: str, scope: str) -> None:
    values = record["distances"]["scopes"][scope][measure]
    names = [name for name in SIDES if name in values]
    plain(axes)
    for row, name in enumerate(names):
        found = values[name]
        axes.barh(row, found["value"], color=INKS[name], height=0.62)
        axes.plot(found["ci"], [row, row], color=INK, linewidth=2)
        axes.text(
            max(found["ci"][1], 0), row, f"  {found['value']:.2f}", va="center", fontsize=8.5, color=INK
        )
    axes.axvline(LIKE_DATA[measure], color=FAINT, linewidth=1, linestyle="--")
    axes.set_yticks(
        range(len(names)), [NAMES[name] if scope == "picture" else "" for name in names], fontsize=8.5
    )
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.margins(x=0.2)
    axes.set_title(
        f"{TITLES[measure]}, {scope.removesuffix('s')} tokens", fontsize=9.5, color=INK, loc="left"
    )


def _agreement(axes: Axes, record: Record) -> None:
    """By kind: how alike two corruptions rank the heads, and how alike two halves of the edited pictures do."""
    kinds = list(record["kinds"])
    lines: tuple[tuple[str, str, str, Callable[[Record], Record | None]], ...] = (
        (
            "reliability, edited pictures",
            TRAINED,
            "o",
            lambda one: one["corruptions"]["SIP"].get("reliability"),
        ),
        ("edited pictures and other words", FAINT, "s", lambda one: one["agreement"].get("SIP STR")),
        ("edited pictures and noise", MARK, "D", lambda one: one["agreement"].get("SIP GN")),
    )
    for place, (label, ink, mark, get) in enumerate(lines):
        for row, kind in enumerate(kinds):
            if (found := get(record["kinds"][kind])) is not None:
                at = row + 0.22 * (place - 1)
                axes.plot(found["ci"], [at, at], color=ink, linewidth=2)
                axes.plot(found["value"], at, mark, color=ink, markersize=6)
        axes.plot([], [], mark, color=ink, linewidth=2, linestyle="-", label=label)
    axes.axvline(0, color=FAINT, linewidth=1, linestyle="--")
    axes.set_yticks(range(len(kinds)), kinds, fontsize=8.5)
    axes.set_ylim(len(kinds) - 0.4, -0.6)
    axes.set_xlim(-0.55, 1.05)
    axes.legend(loc="upper center", bbox_to_anchor=(0.45, -0.08), ncols=3, fontsize=8, frameon=False)
    axes.set_title("rank correlation of head effects over heads", fontsize=9.5, color=INK, loc="left")
