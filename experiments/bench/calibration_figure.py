"""The figure of a calibration: how often words of each confidence passed the test, beside what perfect ones would.

Draws what a calibration's JSON says. The diagonal is where probabilities come true; numbers beside the marks count
descriptions. On the right stands each error with its interval beside the one that chance alone would show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.tableau.drawing import CONTROL, FAINT, INK, MARK, TRAINED, plain, sheet, titled

SERIES = {"confidence": (TRAINED, "o"), "mapped": (INK, "s"), "chance": (MARK, "D")}
NAMES = {
    "confidence": "confidence as given",
    "mapped": "after the map fitted on select",
    "chance": "chance by the select score",
}
APART = 0.008
"""How far, in probability, marks of one place are moved aside."""


def draw_calibration(record: Mapping[str, Any]) -> Figure:
    """Reliability on the left; on the right calibration errors, whose rows say what each mark is."""
    figure = sheet(11, 5)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    found = {name: record[name] for name in SERIES if record[name]}
    _reliability(plain(left), found)
    _errors(plain(right), found)
    return titled(figure, finding(record), _caption(record))


def finding(record: Mapping[str, Any]) -> str:
    """The title: whether the confidence is too high, too low, or as good as these descriptions can tell."""
    gap, error, verified = (
        record["confidence"]["gap"],
        record["confidence"]["ece"],
        record["verified"] / record["n"],
    )
    told = f"{verified + gap['gap']:.0%} of {record['n']} were expected to pass the test, {verified:.0%} do"
    if gap["ci"][0] > 0:
        return f"Confidence is too high: {told}"
    if gap["ci"][1] < 0:
        return f"Confidence is too low: {told}"
    if error["ece"] > error["chance"]:
        return f"Confidence is right on average and wrong in places: {told}"
    return f"Confidence comes true as far as can be told: {told}"


def _reliability(axes: Axes, found: Mapping[str, Any]) -> None:
    axes.plot([0, 1], [0, 1], color=CONTROL, linewidth=1, linestyle="--")
    for place, (name, one) in enumerate(found.items()):
        color, mark = SERIES[name]
        aside = APART * (place - (len(found) - 1) / 2)
        for bin_ in one["bins"]:
            x = bin_["said"] + aside
            axes.plot([x, x], bin_["ci"], color=color, linewidth=1.5, alpha=0.6)
            if name == "confidence":
                axes.annotate(
                    str(bin_["n"]),
                    (x, bin_["verified"]),
                    (5, -10),
                    textcoords="offset points",
                    fontsize=7,
                    color=FAINT,
                )
        axes.plot(
            [bin_["said"] + aside for bin_ in one["bins"]],
            [bin_["verified"] for bin_ in one["bins"]],
            mark,
            color=color,
            markersize=6,
        )
    axes.set_xlim(-0.02, 1.04)
    axes.set_ylim(-0.03, 1.04)
    axes.set_xlabel("probability that was said", fontsize=9)
    axes.set_ylabel("share verified by the test", fontsize=9)


def _errors(axes: Axes, found: Mapping[str, Any]) -> None:
    for row, (name, one) in enumerate(found.items()):
        color, mark = SERIES[name]
        axes.plot(one["ece"]["ci"], [row, row], color=color, linewidth=3, solid_capstyle="butt")
        axes.plot(one["ece"]["ece"], row, mark, color=color, markersize=7)
        axes.plot([one["ece"]["chance"]] * 2, [row - 0.25, row + 0.25], color=CONTROL, linewidth=2)
    axes.set_yticks(range(len(found)), [_row(name, one) for name, one in found.items()], fontsize=8.5)
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_xlabel("calibration error (gray: what chance stays below)", fontsize=9)


def _row(name: str, one: Mapping[str, Any]) -> str:
    """The series, its error and how many descriptions it is of."""
    error = one["ece"]
    return f"{NAMES[name]}\nECE {error['ece']:.3f} [{error['ci'][0]:.3f}, {error['ci'][1]:.3f}], n = {error['n']}"


def _caption(record: Mapping[str, Any]) -> str:
    scores = "; ".join(
        f"{NAMES[name]} {record[name]['brier']['brier']:.3f} [{record[name]['brier']['ci'][0]:.3f}, "
        f"{record[name]['brier']['ci'][1]:.3f}]"
        for name in SERIES
        if record[name]
    )
    out = ", ".join(f"{count} {why}" for why, count in record["left_out"].items()) or "none"
    return (
        f"{', '.join(record['planners'])}, runs {', '.join(record['runs'])}; n = {record['n']}, left out: {out}. Bars: "
        f"Wilson, 95 %, with the number of descriptions beside the first series. Brier score: {scores}; always saying "
        f"the share {record['confidence']['brier']['control']:.3f}. Error: bootstrap over components, 95 %."
    )
