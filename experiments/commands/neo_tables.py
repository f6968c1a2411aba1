"""The reproduction of Neo et al. 2024 as tables on the terminal, from its record alone, the paper's numbers beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.commands.output import print_table, print_text
from experiments.commands.reproduce_tables import cell

Record = Mapping[str, Any]
MODEL = "LLaVA 1.5"


def print_neo(told: Record) -> None:
    """What flips, what is readable, where it is read, and which of the paper's relations hold."""
    readouts = list(told["ablation"])
    theirs = told["paper"]["ablation"][MODEL]
    print_table(
        [
            "tokens at their mean",
            "tokens#",
            *(f"{name}#" for name in readouts),
            f"{MODEL}: {', '.join(readouts)}#",
        ],
        [
            [
                name,
                f"{told['items']['set_sizes'].get(name, 0):.1f}",
                *(
                    _share(told["ablation"][readout]["sets"].get(name, {}).get("flips"))
                    for readout in readouts
                ),
                ", ".join(f"{theirs[name][readout]:.0%}" for readout in readouts) if name in theirs else "–",
            ]
            for name in told["ablation"][readouts[0]]["sets"]
        ],
        title=f"{told['target']}: right answers that flip, of {_right(told, readouts)}",
    )
    _lens(told)
    if told["knockout"]:
        _knockout(told)
    print_table(
        ["relation", "found#", "n#", "control#", "verdict"],
        [
            [
                one["name"],
                cell(one["found"]),
                str(one["found"]["n"]) if one["found"] else "–",
                "–" if one["control"] is None else f"{one['control']:.3f}",
                f"{one['verdict']}: {one['why']}" if one["why"] else one["verdict"],
            ]
            for one in told["relations"]
        ],
        title="the paper's relations",
    )
    print_text(told["finding"])


def _right(told: Record, readouts: list[str]) -> str:
    counts = []
    for name in readouts:
        one = told["ablation"][name]
        counts.append(f"{round(one['accuracy']['value'] * one['n'])} {name}")
    return ", ".join(counts)


def _lens(told: Record) -> None:
    lens, copy = told["lens"], told["untrained"]
    print_table(
        [
            "site",
            *(f"{name}: {where}#" for name in lens["words"] for where in ("thing", "ground", "untrained")),
        ],
        [
            [
                site,
                *(
                    _share(row[where])
                    for name in lens["words"]
                    for row in [_site(told, copy, name, place)]
                    for where in ("thing", "ground", "untrained")
                ),
            ]
            for place, site in enumerate(lens["sites"])
        ],
        title="tokens whose likeliest word is the thing's",
    )


def _site(told: Record, copy: Record | None, name: str, place: int) -> dict[str, Any]:
    own = told["lens"]["words"][name]["by_site"][place]
    return own | {"untrained": copy["lens"]["words"][name]["by_site"][place]["thing"] if copy else None}


def _knockout(told: Record) -> None:
    found = told["knockout"]
    edges = list(found["windows"][0]["edges"])
    theirs = told["paper"]["knockout"]
    print_table(
        ["blocked", *(f"{one['window']} {one['layers'][0]}–{one['layers'][1]}#" for one in found["windows"])],
        [
            [
                name,
                *(
                    _kept(one["edges"][name])
                    + (f" ({theirs[name][one['window']]:.2f})" if name in theirs else "")
                    for one in found["windows"]
                ),
            ]
            for name in edges
        ],
        title=f"accuracy kept of {found['right']} ({found['readout']}), probability lost, and {MODEL}'s accuracy",
    )


def _kept(one: Record) -> str:
    kept = "–" if one["accuracy_kept"] is None else f"{one['accuracy_kept']['value']:.2f}"
    return f"{kept}, {-one['probability_lost']['value']:+.3f}"


def _share(found: Record | None) -> str:
    if found is None:
        return "–"
    low, high = found["ci"]
    return f"{found['value']:.0%} [{low:.0%}, {high:.0%}]"
