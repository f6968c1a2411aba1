"""The figure of recorded ablations: accuracy that each head's loss costs, by kind of question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from experiments.tableau.drawing import INK, MARK, sheet, titled

Record = Mapping[str, Any]
SHOWN = 0.02
"""Losses below this are left without a number."""


def draw_heads(record: Record) -> Figure:
    """Heat maps head × kind of both towers, with rows of as many random channels below."""
    towers = [record["heads"]["vision"], record["heads"]["language"]]
    rows = max(len(_effects(tower)) for tower in towers)
    top = max(0.2, *(float(_losses(tower).max()) for tower in towers))
    figure = sheet(13, 2.4 + 0.26 * rows)
    panels = figure.subplots(1, 2)
    for axes, tower in zip(panels, towers, strict=True):
        _heat(axes, tower, top)
    scale = ScalarMappable(cmap="Blues")
    scale.set_clim(0, 100 * top)
    figure.colorbar(scale, ax=list(panels), label="accuracy lost, points", fraction=0.03, pad=0.01)
    return titled(figure, finding(record), _caption(record))


def finding(record: Record) -> str:
    """The title."""
    vision, language = record["heads"]["vision"], record["heads"]["language"]
    return (
        f"{language['specialized']} of {language['of']} language heads and {vision['specialized']} of {vision['of']} "
        "vision heads cost one kind of question at least 10 points more than the others on average"
    )


def _heat(axes: Axes, tower: Record, top: float) -> None:
    effects, losses, kinds = _effects(tower), _losses(tower), list(tower["accuracy"])
    axes.imshow(losses, cmap="Blues", vmin=0, vmax=top, aspect="auto")
    for row, column in np.argwhere(np.abs(losses) >= SHOWN):
        loss = losses[row, column]
        ink = "white" if loss > 0.55 * top else INK
        axes.text(column, row, f"{100 * loss:.0f}", ha="center", va="center", fontsize=7.5, color=ink)
    for row, effect in enumerate(effects):
        if effect["specialized"]:
            corner = (kinds.index(effect["kind"]) - 0.5, row - 0.5)
            axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=MARK, linewidth=2))
    axes.axhline(len(tower["heads"]) - 0.5, color=INK, linewidth=1.2)
    names = [f"{kind} ({100 * tower['accuracy'][kind]['value']:.0f} %)" for kind in kinds]
    axes.set_xticks(range(len(kinds)), names, fontsize=8, rotation=30, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(effects)), [effect["component"] for effect in effects], fontsize=7.5)
    axes.set_title(f"{tower['tower']} (in brackets: accuracy with all heads)", fontsize=10, color=INK)


def _caption(record: Record) -> str:
    vision, language, untrained = (record["heads"][name] for name in ("vision", "language", "untrained"))
    random, of_random = (
        sum(tower[key] for tower in (vision, language))
        for key in ("random_channels_specialized", "of_random")
    )
    return (
        "At all positions a head's output is replaced by its mean over a reference set, for each class of positions. "
        "Outlined: the loss exceeds the mean loss of the other kinds by at least 10 points, and the 95 % bootstrap "
        f"interval of the difference excludes 0. n = {_n(vision)} (vision) and {_n(language)} (language) a kind. "
        f"Controls: as many random channels in each layer, below the line ({random} of {of_random} outlined); an "
        f"untrained copy ({untrained['specialized']} of {untrained['of']} language heads, n = {_n(untrained)})."
    )


def _effects(tower: Record) -> list[Record]:
    return [*tower["heads"], *tower["random_channels"]]


def _losses(tower: Record) -> Float[np.ndarray, "component kind"]:
    return np.array([[loss["value"] for loss in effect["loss"].values()] for effect in _effects(tower)])


def _n(tower: Record) -> int:
    return int(next(iter(tower["accuracy"].values()))["n"])
