"""The figure of a recorded measurement of units: how well phrases fit them, trained beside untrained, site by site."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from experiments.tableau.drawing import CONTROL, FAINT, INK, TRAINED, plain, sheet, titled

Record = Mapping[str, Any]
PANELS = ("vision", "language (visual)", "language (last)")
INKS = {"trained": TRAINED, "trained eyes alone": "#a9c7e4", "untrained": CONTROL}
"""Three different lightnesses."""
WIDTH = 0.26


def draw_units(record: Record) -> Figure:
    """Boxes over units, one panel for each tower and token scope."""
    figure = sheet(13, 5.8)
    panels = figure.subplots(1, len(PANELS), sharey=True, width_ratios=[5, 7, 7])
    for axes, group in zip(panels, PANELS, strict=True):
        _boxes(plain(axes), [site for site in record["sites"] if site["group"] == group])
        title = f"{group}: {percent(record['learned'][group]['share'])} learned"
        axes.set_title(title, fontsize=10, color=INK, pad=30)
        axes.set_xlabel("layer", fontsize=9)
    panels[0].set_ylabel("correlation with the best phrase\n(Pearson, other half of the stimuli)", fontsize=9)
    handles = [Patch(facecolor=ink, edgecolor=INK, label=name) for name, ink in INKS.items()]
    panels[0].legend(handles=handles, loc="lower left", ncols=2, fontsize=8, frameon=False)
    return titled(figure, finding(record), _caption(record))


def finding(record: Record) -> str:
    """The title."""
    above, learned, chance = (record[name]["all"]["share"] for name in ("above", "learned", "chance"))
    return (
        f"{percent(above)} of units fit a phrase better than 95 % of untrained units fit one of its class; "
        f"{percent(learned)} do so even beside untrained decoders behind trained eyes (chance: {percent(chance)})"
    )


def percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%"


def _boxes(axes: Axes, sites: Sequence[Record]) -> None:
    for place, site in enumerate(sites):
        drawn = [name for name in INKS if name in site["rho_quantiles"]]
        for index, name in enumerate(drawn):
            low, first, middle, third, high = site["rho_quantiles"][name]
            axes.bxp(
                [{"whislo": low, "q1": first, "med": middle, "q3": third, "whishi": high, "fliers": []}],
                positions=[place + WIDTH * (index - (len(drawn) - 1) / 2)],
                widths=0.8 * WIDTH,
                patch_artist=True,
                boxprops={
                    "facecolor": INKS[name],
                    "edgecolor": INK,
                    "alpha": 1.0 if site["counted"] else 0.3,
                },
                medianprops={"color": "white" if name == "trained" else INK},
                showfliers=False,
            )
        label, ink = (percent(site["learned"]["share"]), INK) if site["counted"] else ("not\nread", FAINT)
        axes.text(place, 1.02, label, ha="center", va="bottom", fontsize=8.5, color=ink, clip_on=False)
    axes.set_xticks(range(len(sites)), [site["site"].split(".")[1] for site in sites])
    axes.set_ylim(-0.3, 1.0)
    axes.axhline(0, color=FAINT, linewidth=0.6)


def _caption(record: Record) -> str:
    above, learned, chance = (record[name]["all"] for name in ("above", "learned", "chance"))
    dominant, share = _dominant(record["sites"])
    return (
        "Boxes: quartiles over units; whiskers: 5th to 95th percentile. Above: share of trained units beyond the 95th "
        "percentile of both controls for the class of their phrase (the vision tower has one). Over all sites that an "
        f"answer can depend on, n = {above['n']} units: {_interval(above)} beyond untrained units and "
        f"{_interval(learned)} beyond both; chance: {_interval(chance)} of the controls' units by the same rule, "
        f"{record['untrained_copies']} copies, each against the others. Intervals: 95 %, bootstrap over units. Phrases "
        f"are chosen on one half of {record['pictures']} pictures or {record['questions']} questions and measured on "
        f"the other. The null is one of the phrase's own class, since the best phrase of {percent(share)} of untrained "
        f"units names a {dominant}, which is easily seen."
    )


def _dominant(sites: Sequence[Record]) -> tuple[str, float]:
    """The class to which most untrained units' best phrases belong, and the share of units that do."""
    counts: Counter[str] = Counter()
    for site in sites:
        counts.update(site["best_by_class"]["untrained"])
    ((name, number),) = counts.most_common(1)
    return name, number / counts.total()


def _interval(share: Record) -> str:
    low, high = share["ci"]
    return f"{100 * share['share']:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
