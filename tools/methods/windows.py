"""Windows of layers in which attention is blocked: those of a paper scaled to a decoder's depth, and sliding ones.

Neo et al. 2024 block layers 1–10, 5–14, 11–20, 15–24 and 21–31 of LLaVA 1.5's 32, and all of them. Pure arithmetic.
Not a tool.
"""

from __future__ import annotations

from typing import NamedTuple

PAPER_DEPTH = 32
PAPER: dict[str, tuple[int, int]] = {
    "early": (1, 10),
    "early-mid": (5, 14),
    "mid": (11, 20),
    "mid-late": (15, 24),
    "late": (21, 31),
}
"""First and last layer of each window, in a decoder of PAPER_DEPTH layers."""
ALL = "all"
SLIDING = 5 / 32
"""Share of the layers that a sliding window takes: half of the paper's windows."""


class Window(NamedTuple):
    """Layers `first` to `last`, both included, from 0."""

    name: str
    first: int
    last: int

    @property
    def layers(self) -> range:
        return range(self.first, self.last + 1)


def scaled(depth: int) -> list[Window]:
    """The paper's windows in a decoder of `depth` layers, none of them empty, and all layers together."""
    found = []
    for name, (first, last) in PAPER.items():
        begin = min(depth - 1, round(first * depth / PAPER_DEPTH))
        end = max(begin + 1, round((last + 1) * depth / PAPER_DEPTH))
        found.append(Window(name, begin, min(depth, end) - 1))
    return [*found, Window(ALL, 0, depth - 1)]


def sliding(depth: int, width: int = 0) -> list[Window]:
    """Every window of `width` layers; 0 means SLIDING of the depth. Raises ValueError for one wider than the depth."""
    width = width or max(1, round(SLIDING * depth))
    if width > depth:
        raise ValueError(f"a window of {width} layers is wider than a decoder of {depth}")
    return [
        Window(f"{first}–{first + width - 1}" if width > 1 else str(first), first, first + width - 1)
        for first in range(depth - width + 1)
    ]
