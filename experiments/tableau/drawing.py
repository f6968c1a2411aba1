"""How the figures of this world look: inks that survive gray printing, a finding as the title, a caption below.

Knows matplotlib; what is drawn is the caller's. Figures are drawn without pyplot, so no window system is needed.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

TRAINED, CONTROL, MARK = "#1f5a94", "#9a9a9a", "#c8500a"
"""Dark blue, middle gray, orange: three different lightnesses, and apart in every common color blindness."""
INK, FAINT = "#1c1e26", "#66686f"
DPI = 150
TITLE_LETTERS, CAPTION_LETTERS = 8.0, 14.5
"""Letters that fit into an inch."""


def sheet(width: float, height: float) -> Figure:
    """An empty figure, measured in inches."""
    return Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")


def titled(figure: Figure, finding: str, caption: str) -> Figure:
    """Sets the finding above and the caption (n, interval, control) below, both wrapped to the width."""
    width = figure.get_figwidth()
    figure.suptitle(
        textwrap.fill(finding, int(width * TITLE_LETTERS)),
        x=0.01,
        ha="left",
        fontsize=13,
        fontweight="bold",
        color=INK,
    )
    figure.supxlabel(
        textwrap.fill(caption, int(width * CAPTION_LETTERS)), x=0.01, ha="left", fontsize=8.5, color=FAINT
    )
    return figure


def plain(axes: Axes) -> Axes:
    """Without the frame's upper and right side, with quiet ticks."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8.5, colors=INK)
    return axes


def save(figure: Figure, path: Path) -> None:
    """Writes the figure as PNG under a temporary name first; drawn again, it has the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    figure.savefig(partial, format="png", metadata={"Software": None})
    partial.replace(path)
