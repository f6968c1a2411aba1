"""What `tableau-llava` must reach, and whether a recorded check reaches it.

Knows the floors on 5,000 balanced questions a kind; knows nothing about how they are measured (check.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

FLOORS: dict[str, float] = {
    "polling": 0.98,
    "color": 0.97,
    "shape": 0.95,
    "fill": 0.95,
    "background": 0.98,
    "counting": 0.85,
    "relation": 0.90,
    "relation_yn": 0.75,
    "context": 0.97,
    "caption": 0.93,
}
"""Accuracy by kind; `counting` as the mean over its answers, `caption` as the share of things that captions name."""
GREY_SLACK = 0.03
"""How far above chance a kind may be before a grey picture."""


class Measured(NamedTuple):
    """One kind's figures, each in [0, 1]; `grey` is None where no picture is looked at, and for captions."""

    kind: str
    value: float
    ci: tuple[float, float]
    n: int
    chance: float | None
    grey: float | None
    grey_ci: tuple[float, float] | None

    @property
    def floor(self) -> float:
        return FLOORS[self.kind]

    @property
    def met(self) -> bool:
        return self.value >= self.floor

    @property
    def blind(self) -> bool | None:
        """Whether a grey picture leaves the kind at chance; None where that was not asked."""
        return None if self.grey is None or self.chance is None else self.grey <= self.chance + GREY_SLACK


def measured(record: Mapping[str, Any]) -> list[Measured]:
    """The kinds that have a floor, read from what check.py's `check` returns, in the order of FLOORS."""
    found = []
    for kind, figures in record["kinds"].items():
        grey = figures.get("grey")
        found.append(
            Measured(
                kind,
                figures.get("macro", figures["accuracy"]),
                tuple(figures["ci"]),
                figures["n"],
                figures["chance"],
                grey["accuracy"] if grey else None,
                tuple(grey["ci"]) if grey else None,
            )
        )
    caption = record.get("extra", {}).get("caption", {}).get("object_recall")
    if caption:
        found.append(
            Measured("caption", caption["value"], tuple(caption["ci"]), caption["n"], None, None, None)
        )
    return sorted(found, key=lambda one: list(FLOORS).index(one.kind))
