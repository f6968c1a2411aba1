"""The chart of an engine bench: how many times faster than a loop each sweep is, and how much faster it could be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter, NullFormatter

COLORS = {"bare forward": "#9aa5b1", "nnsight": "#d98b3a", "TransformerLens": "#4878a8"}


def draw_engine(found: dict[str, Any], path: Path) -> None:
    """One panel a shape: bars for each loop with 95 % intervals, and a mark where arithmetic alone would end."""
    figure, panels = plt.subplots(
        1, len(found), figsize=(5.4 * len(found), 3.9), squeeze=False, layout="constrained"
    )
    for panel, (name, one) in zip(panels[0], found.items(), strict=True):
        for place, result in enumerate(one["jobs"].values()):
            bars = [(loop, result["loops"][loop]["ratio"]) for loop in COLORS if loop in result["loops"]]
            for number, (loop, ratio) in enumerate(bars):
                at = place + 0.26 * (number - (len(bars) - 1) / 2)
                low, high = ratio["ci"]
                value = ratio["value"]
                panel.bar(at, value, 0.24, color=COLORS[loop], label=loop if place == 0 else None)
                panel.errorbar(
                    at, value, [[max(value - low, 0)], [max(high - value, 0)]], color="black", lw=1
                )
                panel.text(at, high * 1.08, f"{value:.0f}", ha="center", fontsize=7.5)
            most = result["loop_flops_over_floor"]
            label = "fewest operations, as fast a machine" if place == 0 else None
            panel.plot([place - 0.42, place + 0.42], [most, most], color="black", ls=":", lw=1, label=label)
        panel.set_yscale("log")
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
        panel.yaxis.set_minor_formatter(NullFormatter())
        panel.set_xticks(range(len(one["jobs"])), [_in_two_lines(job) for job in one["jobs"]], fontsize=8)
        shape = one["shape"]
        panel.set_title(
            f"{name}: width {shape['width']}, {shape['layers']} layers × {shape['heads']} heads, "
            f"{one['positions']} positions",
            fontsize=9,
        )
        panel.spines[["top", "right"]].set_visible(False)
    panels[0][0].set_ylabel("times as long as our engine")
    figure.legend(
        *panels[0][0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=4,
        frameon=False,
        fontsize=8,
    )
    figure.suptitle(_finding(found), fontsize=10.5)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _in_two_lines(job: str) -> str:
    words = job.split()
    return " ".join(words[:1]) + "\n" + " ".join(words[1:])


def _finding(found: dict[str, Any]) -> str:
    """What the chart shows, in one sentence, of the widest shape."""
    one = found[max(found, key=lambda name: found[name]["shape"]["width"])]
    best = {
        job: min(loop["ratio"]["value"] for loop in result["loops"].values())
        for job, result in one["jobs"].items()
    }
    job = max(best, key=lambda name: best[name])
    return (
        f"Beside the fastest loop of full passes, sweeps run\n"
        f"{min(best.values()):.1f} to {best[job]:.0f} times as fast (most: {job})"
    )
