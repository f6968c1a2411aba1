"""The figure of a reproduction of Neo et al. 2024, from its record alone: flips, the lens by layer, windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.tableau.drawing import CONTROL, FAINT, INK, MARK, TRAINED, plain, sheet, titled

Record = Mapping[str, Any]
MODEL = "LLaVA 1.5"
SETS = {
    "object": "object",
    "object+1": "object, 1 ring",
    "object+2": "object, 2 rings",
    "gradients+1": "gradients, as 1 ring",
    "gradients+2": "gradients, as 2 rings",
    "register": "register",
    "random+1": "random, as 1 ring",
    "random+2": "random, as 2 rings",
}
READOUTS = {"vqa": "questions", "polling": "polls", "captions": "captions"}
INKS = {"vqa": TRAINED, "polling": MARK, "captions": CONTROL}


def draw_neo(record: Record) -> Figure:
    """Left: flips by set, the paper's as hollow marks. Right: lens by depth, entropy by depth, knockout by the
    paper's windows and by sliding ones."""
    figure = sheet(13.5, 11.5)
    panels = figure.subplot_mosaic(
        [["flips", "lens"], ["flips", "entropy"], ["flips", "windows"], ["flips", "slid"]],
        width_ratios=[1, 1],
    )
    _flips(plain(panels["flips"]), record)
    _lens(plain(panels["lens"]), record)
    _entropy(plain(panels["entropy"]), record)
    _windows(plain(panels["windows"]), record)
    _slid(plain(panels["slid"]), record)
    return titled(figure, f"Neo et al. on {record['target']}: {record['finding']}", caption(record))


def caption(record: Record) -> str:
    """n, intervals, controls."""
    right = ", ".join(
        f"{round(one['accuracy']['value'] * one['n'])} of {one['n']} {READOUTS[name]}"
        for name, one in record["ablation"].items()
    )
    sizes = record["items"]["set_sizes"]
    return (
        f"{record['items']['n']} {record['chosen']}; {record['items']['tokens']} visual tokens, of which object "
        f"{sizes['object']:.0f}, with rings {sizes['object+1']:.0f} and {sizes['object+2']:.0f}, register "
        f"{sizes['register']:.1f}. Right before: {right}.{_copy(record)} Tokens stand at the {record['reference']}; "
        f"random ones lie outside the second ring.{_gradients(record)} Hollow: LLaVA 1.5 as the paper prints it "
        "(decimals imply n = 39, 39, 90). "
        "Lens: share of an object's tokens whose likeliest word is its own; ground: as many tokens without a thing. "
        "Bars and bands: 95 %, Wilson for shares of answers, bootstrap over items else."
    )


def _copy(record: Record) -> str:
    """What flips of the untrained copy's right answers, without the thing and one ring."""
    if not record["untrained"]:
        return ""
    told = []
    for name, one in record["untrained"]["ablation"].items():
        flips = one["sets"].get("object+1", {}).get("flips")
        right = f"{flips['n']} {READOUTS[name]}" if flips else f"no {READOUTS[name]}"
        told.append(
            f"{right} ({flips['value']:.0%} flip without the object and one ring)" if flips else right
        )
    return f" Untrained copy: right are {', '.join(told)}."


def _gradients(record: Record) -> str:
    """How well the attributions add up by which tokens are chosen."""
    found = [one["gradients"] for one in record["ablation"].values() if one.get("gradients")]
    if not found:
        return ""
    missed = max(one["missing_most"] for one in found)
    return f" Gradients: tokens of largest integrated gradients, whose sums miss at most {missed:.1%}."


def _flips(axes: Axes, record: Record) -> None:
    names = [name for name in SETS if name in record["ablation"]["polling"]["sets"]]
    readouts = [name for name in READOUTS if name in record["ablation"]]
    theirs = record["paper"]["ablation"][MODEL]
    height = 0.8 / len(readouts)
    for turn, readout in enumerate(readouts):
        for row, name in enumerate(names):
            at = row + (turn - (len(readouts) - 1) / 2) * height
            found = record["ablation"][readout]["sets"].get(name, {}).get("flips")
            if found is not None:
                axes.barh(at, 100 * found["value"], height=0.9 * height, color=INKS[readout])
                axes.plot([100 * end for end in found["ci"]], [at, at], color=INK, linewidth=1.5)
            if name in theirs:
                axes.plot(
                    100 * theirs[name][readout],
                    at,
                    "D",
                    markerfacecolor="white",
                    markeredgecolor=INK,
                    markersize=5,
                )
        axes.barh(0, 0, color=INKS[readout], label=READOUTS[readout])
    axes.plot(
        [], [], "D", markerfacecolor="white", markeredgecolor=INK, markersize=5, label=f"{MODEL}, paper"
    )
    axes.set_yticks(range(len(names)), [SETS[name] for name in names], fontsize=9)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0, 102)
    axes.set_xlabel("right answers that flip, %", fontsize=9)
    axes.legend(loc="lower right", fontsize=8.5, frameon=False)
    axes.set_title("visual tokens at their mean", fontsize=10, color=INK, loc="left")


def _lens(axes: Axes, record: Record) -> None:
    depth = _depths(record)
    name, word = next(iter(record["lens"]["words"].items()))
    rows = [("thing", [one["thing"] for one in word["by_site"]], TRAINED, "-", f"object, its {name}")]
    others = list(record["lens"]["words"].items())[1:]
    rows += [
        (kind, [one["thing"] for one in found["by_site"]], MARK, "-", f"object, its {kind}")
        for kind, found in others
    ]
    rows.append(("ground", [one["ground"] for one in word["by_site"]], CONTROL, "--", f"ground, that {name}"))
    if record["untrained"]:
        copy = record["untrained"]["lens"]["words"][name]["by_site"]
        rows.append(("copy", [one["thing"] for one in copy], INK, ":", f"untrained copy, its {name}"))
    for _, found, ink, style, label in rows:
        _band(axes, depth, found, ink, style, label, 100)
    best = word["best"]["depth"]
    if best:
        axes.axvline(best["value"], color=FAINT, linewidth=1, linestyle="--")
    theirs = record["paper"]["lens"][MODEL]
    axes.plot(
        theirs["depth"],
        100 * theirs["share"],
        "D",
        markerfacecolor="white",
        markeredgecolor=INK,
        markersize=6,
        label=f"{MODEL}, best layer",
    )
    axes.set_ylabel("of tokens, %", fontsize=9)
    axes.set_ylim(0, 145)
    axes.set_yticks(range(0, 101, 20))
    axes.legend(loc="upper center", fontsize=8, frameon=False, ncols=2)
    axes.set_title("tokens that point to the object's word", fontsize=10, color=INK, loc="left")


def _entropy(axes: Axes, record: Record) -> None:
    depth = _depths(record)
    for where, ink, style, label in (
        ("thing", TRAINED, "-", "object"),
        ("ground", CONTROL, "--", "ground"),
        ("question", MARK, "-.", "words"),
    ):
        found = record["lens"]["entropy"][where]["by_site"]
        if all(one is not None for one in found):
            _band(axes, depth, found, ink, style, label, 1)
    axes.set_ylabel("nats", fontsize=9)
    axes.set_xlabel("relative depth (0: entering the decoder)", fontsize=9)
    axes.legend(loc="best", fontsize=8, frameon=False)
    axes.set_title("entropy of what tokens say", fontsize=10, color=INK, loc="left")


def _windows(axes: Axes, record: Record) -> None:
    """The paper's windows, scaled to the decoder's depth."""
    found = record["knockout"]
    if found is None:
        axes.set_axis_off()
        return
    _lost(axes, found["windows"], by_name=True)
    axes.legend(loc="upper left", fontsize=8, frameon=False)
    kept = found["windows"][-1]["edges"]["object+1 → last"]["accuracy_kept"]
    told = f" (accuracy kept in all: {kept['value']:.2f}, paper 0.67)" if kept else ""
    axes.set_title(f"hidden from the last position, by window{told}", fontsize=10, color=INK, loc="left")


def _slid(axes: Axes, record: Record) -> None:
    """Windows that slide over the layers."""
    found = record["knockout"]
    if found is None:
        axes.set_axis_off()
        return
    _lost(axes, found["sliding"], by_name=False)
    first, last = found["sliding"][0]["layers"]
    width = f"{last - first + 1} layers" if last > first else "1 layer"
    axes.set_xlabel("layers (0: the first)", fontsize=9)
    axes.set_title(f"the same, by windows of {width} that slide", fontsize=10, color=INK, loc="left")


def _lost(axes: Axes, windows: Sequence[Record], by_name: bool) -> None:
    """Points of probability lost in each window: the thing, as many random tokens, all others."""
    rows = (
        ("object+1 → last", TRAINED, "o", "object, 1 ring"),
        ("random+1 → last", CONTROL, "s", "as many random"),
        ("rest → last", MARK, "^", "all others"),
    )
    for turn, (name, ink, mark, label) in enumerate(rows):
        for place, one in enumerate(windows):
            told = one["edges"][name]["probability_lost"]
            at = place + 0.2 * (turn - 1)
            axes.plot([at, at], [100 * end for end in told["ci"]], color=ink, linewidth=2)
            axes.plot(at, 100 * told["value"], mark, color=ink, markersize=6)
        axes.plot([], [], mark, color=ink, linestyle="-", label=label)
    axes.axhline(0, color=FAINT, linewidth=1, linestyle="--")
    layers = ["–".join(map(str, dict.fromkeys(one["layers"]))) for one in windows]
    told = [f"{one['window']}\n{those}" for one, those in zip(windows, layers, strict=True)]
    axes.set_xticks(range(len(windows)), told if by_name else layers, fontsize=8.5)
    axes.set_ylabel("points of probability lost", fontsize=9)


def _depths(record: Record) -> list[float]:
    last = len(record["lens"]["sites"]) - 1
    return [place / last for place in range(last + 1)]


def _band(
    axes: Axes, depth: list[float], found: list[Record], ink: str, style: str, label: str, scale: float
) -> None:
    axes.fill_between(
        depth,
        [scale * one["ci"][0] for one in found],
        [scale * one["ci"][1] for one in found],
        color=ink,
        alpha=0.15,
    )
    axes.plot(depth, [scale * one["value"] for one in found], style, color=ink, linewidth=2, label=label)
