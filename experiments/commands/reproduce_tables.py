"""Reproductions as tables on the terminal, from their records alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.commands.output import narrate, print_table, print_text

Record = Mapping[str, Any]
LOUDNESS = ("louder", "quieter")


def print_notice(told: Record) -> None:
    """Heads that recur, corruptions by kind, and how far each corruption leads from the data."""
    print_table(
        ["universal head", "share#", "kinds", "role", "attention: asked#", "others#", "ground#", "outliers#"],
        [
            [
                one["component"],
                f"{one['mean_share']:.3f}",
                ", ".join(one["kinds"]),
                one["role"],
                *(looks(one, region) for region in ("asked", "others", "ground", "outliers")),
            ]
            for one in told["universal"]["heads"]
        ],
        title=f"{told['target']}: mean share of the gap restored; attention over even attention",
    )
    print_table(
        ["kind", "corruption", "n#", "gap, logits#", "untrained#", "reliability#", "ρ with SIP#"],
        [
            row
            for kind, one in told["kinds"].items()
            for row in (corruption_row(kind, one, name) for name in one["corruptions"])
        ],
        title="corruptions, and how alike they rank the heads",
    )
    names = ("untouched", "SIP", "STR", "GN", "GN − SIP")
    print_table(
        ["distance from the data", *(f"{name}#" for name in names)],
        [
            [f"{measure} ({scope})", *(cell(values.get(name)) for name in names)]
            for scope, measures in told["distances"]["scopes"].items()
            for measure, values in measures.items()
        ],
        title=f"noise: {told['noise']['chosen']:g} of a pixel's range",
    )
    if (loss := told["ablation"]) is not None:
        narrate(
            f"silenced: universal heads {cell(loss['change'])}, random heads {cell(loss['control'])}, "
            f"difference {cell(loss['beyond_control'])} of accuracy"
        )
    print_text(told["finding"])


def print_editors(told: Record) -> None:
    """How head effects by edited pairs go with those by painted ones, kind by kind."""
    print_table(
        ["kind", "pairs#", "edited#", "ρ of both#", "ρ of painted halves#", "ratio#", "ρ with other kinds#"],
        [
            [
                kind,
                str(one["pairs"]["exact"]),
                str(one["pairs"]["edited"]),
                cell(one["correlation"]),
                cell(one["reliability"]),
                "–" if one["ratio"] is None else f"{one['ratio']:.2f}",
                "–" if one["other_kinds"] is None else f"{one['other_kinds']:.2f}",
            ]
            for kind, one in told["kinds"].items()
        ],
        title=f"{told['target']}: heads by pairs that {told['editor']} edited",
    )
    print_text(told["finding"])


def print_vseam(told: Record) -> None:
    """Heads of each level, what kinds share, and what rescaling does."""
    print_table(
        ["level", "kinds", "louder", "quieter"],
        [
            [
                level,
                ", ".join(one["kinds"]),
                *(", ".join(told["rescaling"][level][name]) for name in LOUDNESS),
            ]
            for level, one in told["levels"].items()
        ],
        title=f"{told['target']}: the {told['k']} heads that restore most, and those that work against",
    )
    print_table(
        [
            "heads",
            "within a level#",
            "across levels#",
            "difference#",
            "halves of a kind#",
            "by chance#",
            "p#",
        ],
        [
            [
                f"{sign}",
                *(cell(one[name], 2) for name in ("within", "across", "difference", "halves")),
                f"{one['chance']:.2f}",
                f"{one['p']:.3f}",
            ]
            for sign, one in told["sharing"].items()
        ],
        title="Jaccard index of two kinds' heads",
    )
    print_table(
        ["level", "accuracy#", "rescaled#", "random heads#", "other kinds#", "worst other kind"],
        [rescaling_row(level, one) for level, one in told["rescaling"].items()],
        title=f"change of accuracy, heads × {told['factors']['positive']:g} and × {told['factors']['negative']:g}",
    )
    print_text(told["finding"])


def rescaling_row(level: str, one: Record) -> list[str]:
    worst = one["worst_other"]
    return [
        level,
        f"{one['own']['accuracy']:.3f}",
        cell(one["own"]["change"]),
        cell(one["own"]["control"]),
        cell(one["others"]["change"] if one["others"] else None),
        f"{worst['kind']} {cell(worst)}" if worst else "–",
    ]


def looks(one: Record, region: str) -> str:
    found = one["attention_over_even"].get(region)
    return f"{found['value']:.2f}" if found else "–"


def corruption_row(kind: str, one: Record, name: str) -> list[str]:
    found = one["corruptions"][name]
    return [
        kind,
        name,
        str(found["n"]),
        cell(found["gap"], 2),
        cell(found.get("untrained_gap"), 2),
        cell(found.get("reliability"), 2),
        cell(one["agreement"].get(f"SIP {name}"), 2),
    ]


def cell(found: Record | None, digits: int = 3) -> str:
    """A number with its interval; `–` where nothing was measured."""
    if found is None:
        return "–"
    low, high = found["ci"]
    return f"{found['value']:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
