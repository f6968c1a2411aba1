"""What `maieutic bench truth` prints: every unit, every kind, every share that was measured, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.commands.output import print_table

if TYPE_CHECKING:
    from experiments.bench.found import Found
    from experiments.bench.report import Report


def print_report(report: Report) -> None:
    found = report.as_json()
    print_table(
        ["component", "kind", "truth", "said", "status", "exact"],
        [unit_row(one) for one in report.found],
        title=f"{report.planner}, seed {report.seed}, run {report.run}",
    )
    apart = found["outside_grammar"]
    for title, kinds in (
        (
            f"{found['seconds_per_unit']:.1f} seconds and {found['forwards_per_unit']:,.0f} forwards a unit",
            [k for k in found["kinds"] if k not in apart],
        ),
        ("outside the planner's grammar", apart),
    ):
        rows = [kind_row(kind, found["kinds"][kind]) for kind in kinds if found["kinds"][kind]]
        if rows:
            print_table(["kind", "exact", "recall#", "precision#", "verified#", "n#"], rows, title=title)
    print_table(
        ["what", "share", "n#"],
        [
            *rows_of("exceptions", found["exceptions"]),
            *rows_of("false claims on", found["false_claims"]),
            *(
                row
                for kind, claims in found["planted"].items()
                for row in rows_of(f"{kind}: called", claims or {})
            ),
        ],
    )
    beside = {name: values for name, values in found["baselines"].items() if values}
    if beside:
        print_table(
            ["baseline", "exact", "median test ρ", "planner is ahead in ρ", "in exact", "n#"],
            [baseline_row(name, values) for name, values in beside.items()],
            title="labels without experiments",
        )
    if found["natural"] is not None:
        print_natural(found["natural"])
    for name, less in found["parts"].items():
        print_part(name, less)


def print_natural(found: dict[str, Any]) -> None:
    """How much of what the best phrase says of natural components the planner's words say."""
    ratio = share(found["median"], found["ci"])
    print_table(
        ["median ρ(planner) / ρ(best phrase)", "n#", "without a best phrase#"],
        [[ratio, str(found["n"]), str(found["left_out"])]],
        title="natural components: the best phrase was chosen on select",
    )


def print_part(name: str, found: dict[str, Any]) -> None:
    """What the planner loses by lacking a part: with → without, and the difference."""
    print_table(
        ["kind", "exact", "what the part adds", "mean test ρ", "what it adds", "n#"],
        [
            [kind, *(told for what in ("exact", "rho") for told in added(values[what])), str(values["n"])]
            for kind, values in found["kinds"].items()
        ],
        title=f"{name}: with → without",
    )
    costs = [
        [what.replace("_", " "), f"{found[what]['with']:.1f} → {found[what]['without']:.1f}"]
        for what in ("seconds_per_unit", "forwards_per_unit")
    ]
    claims = [
        [
            f"{kind}: called {claim}",
            f"{both['with'][claim]['rate']:.2f} → {both['without'][claim]['rate']:.2f}",
        ]
        for kind, both in found["planted"].items()
        for claim in both["with"]
    ]
    false = [
        [f"false claims on {kind}", f"{both['with']['rate']:.2f} → {both['without']['rate']:.2f}"]
        for kind, both in found["false_claims"].items()
    ]
    print_table(["what", "with → without"], [*costs, *claims, *false])


def added(values: dict[str, Any]) -> list[str]:
    """A mean with and without, and the difference with its interval."""
    adds = values["adds"]
    told = share(adds["value"], adds["ci"]) if adds else "–"
    return [f"{values['with']:.2f} → {values['without']:.2f}", told]


def kind_row(kind: str, values: dict[str, Any]) -> list[str]:
    return [
        kind,
        share(values["exact"], values["ci"]),
        f"{values['recall']:.2f}",
        f"{values['precision']:.2f}",
        str(values["verified"]),
        str(values["n"]),
    ]


def baseline_row(name: str, values: dict[str, Any]) -> list[str]:
    ahead = [values["differences"][of] for of in ("rho", "exact")]
    return [
        name,
        share(values["exact"]["rate"], values["exact"]["ci"]),
        f"{values['test_rho_median']:.2f} (planner {values['planner_rho_median']:.2f})",
        *(share(one["value"], one["ci"]) if one else "–" for one in ahead),
        str(values["n"]),
    ]


def unit_row(one: Found) -> list[str]:
    said = one.description.concept or "–"
    return [
        one.truth.component,
        one.truth.kind,
        str(one.truth) or "–",
        said,
        one.description.status,
        "yes" if one.match.exact else "",
    ]


def rows_of(about: str, found: dict[str, Any]) -> list[list[str]]:
    """One row for each share that was measured."""
    return [
        [f"{about} {name}", share(values["rate"], values["ci"]), str(values["n"])]
        for name, values in found.items()
        if values is not None
    ]


def share(value: float, ci: list[float] | None) -> str:
    """A number with its interval, where it has one."""
    return f"{value:.2f} [{ci[0]:.2f}, {ci[1]:.2f}]" if ci else f"{value:.2f}"
