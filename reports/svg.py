"""Inline SVG as escaped markup, and axes that stretch with the page.

Horizontal places are percentages, so a plot fills whatever width it is given while its marks and letters keep their
size. Knows nothing about what is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

Attribute = str | int | float


def element(name: str, *children: Markup | str, **attributes: Attribute) -> Markup:
    """`<name …>children</name>`, all text escaped. `class_` is class, other underscores are hyphens."""
    words = "".join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _plain(value))
        for key, value in attributes.items()
    )
    inside = Markup("").join(escape(child) for child in children)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), Markup(words), inside)


def drawing(height: int, told: str, *children: Markup, class_: str = "plot") -> Markup:
    """A picture as wide as its surroundings and `height` pixels high; `told` says in words what it shows."""
    return element("svg", *children, class_=class_, width="100%", height=height, role="img", aria_label=told)


def at_place(x: str, y: float, *children: Markup) -> Markup:
    """Children in pixels around a place whose x is a percentage."""
    return element("svg", *children, x=x, y=y, class_="place")


@dataclass(frozen=True)
class Axis:
    """A stretch of numbers from `low` to `high`, drawn between `left` and `right` per cent of the width."""

    low: float
    high: float
    left: float = 3.0
    right: float = 97.0

    def share(self, value: float) -> float:
        """Where a value stands, in per cent of the width; values off the axis stand at its ends."""
        inside = min(max(value, self.low), self.high)
        return self.left + (inside - self.low) / (self.high - self.low) * (self.right - self.left)

    def at(self, value: float) -> str:
        return f"{self.share(value):.2f}%"

    def wide(self, low: float, high: float) -> str:
        return f"{self.share(high) - self.share(low):.2f}%"

    def beyond(self, value: float) -> bool:
        return not self.low <= value <= self.high

    def ticks(self, most: int = 6) -> list[float]:
        """Round numbers on the axis, at most `most`."""
        span = self.high - self.low
        power = 10.0 ** math.floor(math.log10(span / most))
        for step in (power * factor for factor in (1, 2, 2.5, 5, 10, 20)):
            first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
            if last - first < most:
                return [round(place * step, 12) for place in range(first, last + 1)]
        return [self.low, self.high]


def axis_around(values: Iterable[float], *, margin: float = 0.06) -> Axis:
    """The axis that holds zero and all finite values, with some air."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    if high == low:
        return Axis(0.0, 1.0)
    air = (high - low) * margin
    return Axis(low - (air if low < 0 else 0), high + (air if high > 0 else 0))


def _plain(value: Attribute) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
