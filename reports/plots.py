"""Intervals, predictions and histograms as small inline drawings that can be read without color.

A measured value is a filled disc on its interval, a control a hollow square, a null a hollow diamond, a threshold an
upright line, a prediction a hatched band. Knows how to draw; what is worth drawing is told by the templates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.numbers import estimate, number, short, tick
from reports.svg import Axis, at_place, axis_around, drawing, element
from store.records import Hypothesis, Interval, Verdict

ROW = 26
MIDDLE = ROW / 2


@dataclass(frozen=True)
class Measured:
    """One row of a plot: a value with its interval, and what it is held against."""

    value: float
    ci: Interval | None = None
    control: float | None = None
    control_ci: Interval | None = None
    null: float | None = None
    threshold: float | None = None

    @property
    def numbers(self) -> list[float]:
        """Everything that an axis has to reach."""
        ends = [*(self.ci or ()), *(self.control_ci or ())]
        single = (self.value, self.control, self.null, self.threshold)
        return ends + [one for one in single if one is not None]

    def told(self) -> str:
        """The row in words."""
        parts = [number(self.value)] if self.ci is None else [f"{estimate(self.value, self.ci)} at 95 %"]
        for name in ("control", "null", "threshold"):
            if (one := getattr(self, name)) is not None:
                parts.append(f"{name} {number(one)}")
        return ", ".join(parts)


def shared_axis(rows: Sequence[Measured]) -> Axis:
    """The axis on which rows of one unit can be compared."""
    return axis_around(one for row in rows for one in row.numbers)


SCORES = Axis(-0.1, 1.0)
"""Scores are drawn from −0.1 to 1 on every page, so that a look across pages compares."""


def score_axis(rows: Sequence[Measured]) -> Axis:
    """SCORES, reaching further down where a score is clearly negative, and further up where a share exceeds 1."""
    reached = [one for row in rows for one in row.numbers]
    low, high = min(reached, default=0.0), max(reached, default=0.0)
    return Axis(
        SCORES.low if low >= SCORES.low else max(-1.05, low - 0.05),
        SCORES.high if high <= SCORES.high else high + 0.05,
    )


def interval_plot(row: Measured, axis: Axis) -> Markup:
    """One row: zero, threshold, null, control and the value on its interval."""
    marks = [element("line", x1=axis.at(0), x2=axis.at(0), y1=0, y2=ROW, class_="zero")]
    if row.threshold is not None:
        place = axis.at(row.threshold)
        marks.append(element("line", x1=place, x2=place, y1=0, y2=ROW, class_="threshold"))
    if row.control_ci is not None:
        marks.append(_bar(axis, row.control_ci, MIDDLE + 7, "bar-control"))
    if row.control is not None:
        square = element("rect", x=-3.5, y=-3.5, width=7, height=7, class_="control")
        marks.append(at_place(axis.at(row.control), MIDDLE + 7, square))
    if row.null is not None:
        diamond = element("path", d="M0-6 5 0 0 6-5 0Z", class_="null")
        marks.append(at_place(axis.at(row.null), MIDDLE, diamond))
    lift = 3 if row.control is not None else 0
    if row.ci is not None:
        marks.append(_bar(axis, row.ci, MIDDLE - lift, "bar"))
    marks.append(element("circle", cx=axis.at(row.value), cy=MIDDLE - lift, r=4.5, class_="value"))
    return drawing(ROW, row.told(), *marks)


def axis_plot(axis: Axis, unit: str = "") -> Markup:
    """The scale under a column of rows."""
    marks = [element("line", x1=axis.at(axis.low), x2=axis.at(axis.high), y1=0.5, y2=0.5, class_="axis")]
    places = axis.ticks()
    step = places[1] - places[0] if len(places) > 1 else 1.0
    for one in places:
        place = axis.at(one)
        marks.append(element("line", x1=place, x2=place, y1=0, y2=5, class_="axis"))
        marks.append(element("text", tick(one, step), x=place, y=17, text_anchor="middle"))
    if unit:
        marks.append(element("text", unit, x="50%", y=32, text_anchor="middle", class_="unit"))
    height = 36 if unit else 21
    return drawing(height, f"scale from {number(axis.low)} to {number(axis.high)} {unit}".strip(), *marks)


def prediction_plot(hypothesis: Hypothesis, verdict: Verdict) -> Markup:
    """The effect on its interval, with what was predicted as a hatched band: does it lie inside?"""
    edge = hypothesis.threshold
    row = Measured(verdict.effect, verdict.ci, threshold=edge)
    air = 0.25 * max(abs(edge), *(abs(one) for one in row.numbers))
    reach = {"above": edge + air, "below": edge - air, "within": -edge}[hypothesis.direction]
    axis = axis_around([*row.numbers, reach])
    first, last = {
        "above": (edge, axis.high),
        "below": (axis.low, edge),
        "within": (-abs(edge), abs(edge)),
    }[hypothesis.direction]
    band = element(
        "rect", x=axis.at(first), y=1, width=axis.wide(first, last), height=ROW - 2, class_="predicted"
    )
    told = f"predicted {hypothesis.direction} {number(edge)}; found {row.told()}"
    inside = interval_plot(row, axis)
    return drawing(ROW + 21, told, band, inside, at_place("0", ROW, axis_plot(axis)))


@dataclass(frozen=True)
class Histogram:
    """How often which values occur: `counts[i]` between `edges[i]` and `edges[i + 1]`."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.counts)


HEIGHT = 150
FLOOR = HEIGHT + 10


def histogram_plot(histogram: Histogram, unit: str = "activation") -> Markup:
    """Counts on a logarithmic scale, since what fires rarely is what is looked for."""
    axis = Axis(histogram.edges[0], histogram.edges[-1], left=9)
    decades = max(1, math.ceil(math.log10(max(histogram.counts) + 1)))

    def top(count: int) -> float:
        return FLOOR - HEIGHT * (math.log10(count + 1) / decades)

    marks: list[Markup] = []
    for power in range(decades + 1):
        level = 10**power if power else 0
        y = top(10**power - 1) if power else FLOOR
        marks.append(element("line", x1=axis.at(axis.low), x2="100%", y1=y, y2=y, class_="grid"))
        marks.append(element("text", short(level), x=f"{axis.left - 1}%", y=y + 4, text_anchor="end"))
    pairs = zip(histogram.edges, histogram.edges[1:], histogram.counts, strict=False)
    for low, high, count in pairs:
        if count:
            count_told = element("title", f"{number(low)} to {number(high)}: {number(count)}")
            y = top(count)
            wide = axis.wide(low, high)
            marks.append(
                element("rect", count_told, x=axis.at(low), width=wide, y=y, height=FLOOR - y, class_="count")
            )
    told = (
        f"histogram of {number(histogram.total)} values from {number(axis.low)} to {number(axis.high)} {unit}"
    )
    return drawing(FLOOR + 38, told, *marks, at_place("0", FLOOR, axis_plot(axis, unit)), class_="plot tall")


def _bar(axis: Axis, ci: Interval, y: float, class_: str) -> Markup:
    """An interval with end strokes; where it leaves the axis, an arrow instead."""
    low, high = ci
    parts = [element("line", x1=axis.at(low), x2=axis.at(high), y1=y, y2=y, class_=class_)]
    for end, side in ((low, -1), (high, 1)):
        shape = f"M{-5 * side}-4 0 0 {-5 * side} 4" if axis.beyond(end) else "M0-4V4"
        parts.append(at_place(axis.at(end), y, element("path", d=shape, class_=class_)))
    return element("g", *parts)
