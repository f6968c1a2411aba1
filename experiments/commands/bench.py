"""`maieutic bench`: what the house is worth, measured where the truth is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.commands.options import BaseUrl, Device, JsonFlag, PlannerName, Quiet, Seed
from experiments.commands.output import narrate, print_json, print_table, progress

if TYPE_CHECKING:
    from experiments.bench.report import Found, Report

app = typer.Typer(help="Measure where the truth is known.", no_args_is_help=True)

HOST = "tableau-llava"
WORLD = "tableau:600/200/400"


@app.callback()
def bench() -> None:
    """Measure where the truth is known."""


@app.command()
def truth(
    units: Annotated[
        int,
        typer.Option(
            min=5, max=300, help="Function units in all: of 30, 10 single, 6 AND, 6 OR, 4 noise, 4 dead."
        ),
    ] = 30,
    planted: Annotated[
        bool, typer.Option(help="Also plant two wired neurons, two decoys and a head.")
    ] = True,
    images: Annotated[
        str, typer.Option(help="Painted pictures to work with: `tableau`, or the first of each split.")
    ] = WORLD,
    store: Annotated[
        str, typer.Option(help="The record; by default one of the bench's own in the cache folder.")
    ] = "",
    planner: PlannerName = "builtin",
    base_url: BaseUrl = "",
    jobs: Annotated[int, typer.Option(min=1, help="Components in work at once.")] = 1,
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: JsonFlag = False,
) -> int:
    """Label components whose truth is known, under ordinary addresses, and compare."""
    from experiments.bench.truth import measure, set_up
    from experiments.commands.label import line_of
    from experiments.commands.workplaces import chosen_planner
    from experiments.label import Allowance
    from experiments.registry import open_target
    from experiments.workplace import cache_folder
    from store.database import open_store

    say = (lambda _: None) if quiet else narrate
    own = cache_folder() / "bench" / f"truth-{seed}.db"
    own.parent.mkdir(parents=True, exist_ok=True)
    with open_store(store or own) as record, progress() as tell:
        found = set_up(
            record,
            open_target(HOST, device),
            units,
            seed,
            planted=planted,
            images=images,
            progress=tell,
        )
        say(f"{len(found.truths)} components, seed {seed}; the record is `{record.where}`")
        report = measure(
            found,
            chosen_planner(planner, base_url, record),
            allowance=Allowance(jobs=jobs),
            tell=lambda one: say(line_of(one)),
        )
    if as_json:
        print_json(report.as_json())
    else:
        print_report(report)
    return 0


def print_report(report: Report) -> None:
    found = report.as_json()
    print_table(
        ["component", "kind", "truth", "said", "status", "exact"],
        [unit_row(one) for one in report.found],
        title=f"{report.planner}, seed {report.seed}, run {report.run}",
    )
    print_table(
        ["kind", "exact", "recall#", "precision#", "verified#", "n#"],
        [
            [
                kind,
                share(values["exact"], values["ci"]),
                f"{values['recall']:.2f}",
                f"{values['precision']:.2f}",
                str(values["verified"]),
                str(values["n"]),
            ]
            for kind, values in found["kinds"].items()
            if values is not None
        ],
        title=f"{report.seconds_per_unit:.1f} seconds a unit",
    )
    print_table(
        ["what", "share", "n#"],
        [
            *rows_of("false claims on", found["false_claims"]),
            *(
                row
                for kind, claims in found["planted"].items()
                for row in rows_of(f"{kind}: called", claims or {})
            ),
        ],
    )


def unit_row(one: Found) -> list[str]:
    said = one.description.concept or "–"
    return [
        one.truth.component,
        one.truth.kind,
        one.truth.concept or "–",
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


def share(value: float, ci: list[float]) -> str:
    return f"{value:.2f} [{ci[0]:.2f}, {ci[1]:.2f}]"
