"""The figure of a recorded measurement of units: how well phrases fit them, trained beside untrained, site by site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from experiments.tableau.drawing import CONTROL, FAINT, INK, TRAINED, plain, sheet, titled

Record = Mapping[str, Any]
PANELS = ("vision", "language (visual)", "language (last)")


def draw_units(record: Record) -> Figure:
    """Boxes over units, one panel for each tower and token scope."""
    figure = sheet(12, 5.6)
    panels = figure.subplots(1, len(PANELS), sharey=True, width_ratios=[5, 6, 6])
    for axes, group in zip(panels, PANELS, strict=True):
        _boxes(plain(axes), [site for site in record["sites"] if _group(site) == group])
        axes.set_title(
            f"{group}: {record['above'][group]['share']:.0%} above", fontsize=10, color=INK, pad=16
        )
        axes.set_xlabel("layer", fontsize=9)
    panels[0].set_ylabel("correlation with the best phrase\n(Pearson, other half of the stimuli)", fontsize=9)
    inks = (Patch(facecolor=TRAINED, label="trained"), Patch(facecolor=CONTROL, label="untrained"))
    panels[0].legend(handles=inks, loc="lower left", fontsize=8.5, frameon=False)
    return titled(figure, finding(record), _caption(record))


def finding(record: Record) -> str:
    """The title."""
    above, chance = record["above"]["all"]["share"], record["untrained_above"]["all"]["share"]
    return (
        f"{above:.0%} of units fit a phrase better than 95 % of untrained units fit one of its class; "
        f"{chance:.0%} of untrained units do"
    )


def _boxes(axes: Axes, sites: Sequence[Record]) -> None:
    for place, site in enumerate(sites):
        for offset, name, ink in ((-0.18, "trained", TRAINED), (0.18, "untrained", CONTROL)):
            low, first, middle, third, high = site["rho_quantiles"][name]
            axes.bxp(
                [{"whislo": low, "q1": first, "med": middle, "q3": third, "whishi": high, "fliers": []}],
                positions=[place + offset],
                widths=0.3,
                patch_artist=True,
                boxprops={"facecolor": ink, "edgecolor": INK, "alpha": 1.0 if site["counted"] else 0.3},
                medianprops={"color": "white" if name == "trained" else INK},
                showfliers=False,
            )
        label, ink = (f"{site['above']['share']:.0%}", INK) if site["counted"] else ("not\nread", FAINT)
        axes.text(place, 1.02, label, ha="center", va="bottom", fontsize=8.5, color=ink, clip_on=False)
    axes.set_xticks(range(len(sites)), [site["site"].split(".")[1] for site in sites])
    axes.set_ylim(-0.2, 1.0)
    axes.axhline(0, color=FAINT, linewidth=0.6)


def _caption(record: Record) -> str:
    above, chance = record["above"]["all"], record["untrained_above"]["all"]
    return (
        "Boxes: quartiles over units; whiskers: 5th to 95th percentile. Numbers: share of trained units above the "
        "untrained 95th percentile of their phrase's class. Over all sites that an answer can depend on: "
        f"{_interval(above)}, n = {above['n']} units, bootstrap over units; control: {_interval(chance)} of untrained "
        f"units, {record['untrained_copies']} copies, each against the others. Phrases are chosen on one half of "
        f"{record['pictures']} pictures or {record['questions']} questions and measured on the other."
    )


def _group(site: Record) -> str:
    tower = site["site"].partition(".")[0]
    return tower if tower == "vision" else f"{tower} ({site['scope']})"


def _interval(share: Record) -> str:
    low, high = share["ci"]
    return f"{share['share']:.1%} [{low:.1%}, {high:.1%}]"
