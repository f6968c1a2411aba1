"""`maieutic bench`: what the house is worth, measured where the truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.commands.calibration import calibration
from experiments.commands.options import BaseUrl, Device, JsonFlag, PlannerName, Quiet, Seed
from experiments.commands.output import narrate, print_json, print_table, progress

if TYPE_CHECKING:
    from experiments.bench.found import Found
    from experiments.bench.report import Report

app = typer.Typer(help="Measure where the truth is known.", no_args_is_help=True)
app.command()(calibration)

HOST = "tableau-llava"
UNTRAINED = "tableau-llava-random"
WORLD = "tableau:600/200/400"


@app.callback()
def bench() -> None:
    """Measure where the truth is known."""


@app.command()
def truth(
    units: Annotated[
        int, typer.Option(min=11, max=1100, help="Function units in all, as many of each of the 11 kinds.")
    ] = 33,
    planted: Annotated[bool, typer.Option(help="Also plant neurons and heads into the model.")] = True,
    neurons: Annotated[
        int, typer.Option(min=0, max=60, help="Planted neurons, half of them with a path to answers.")
    ] = 4,
    heads: Annotated[
        int, typer.Option(min=0, max=10, help="Planted heads that carry a color to the answer.")
    ] = 1,
    untrained: Annotated[
        int, typer.Option(min=0, max=400, help="Components of a never-trained copy to label as well.")
    ] = 0,
    baselines: Annotated[bool, typer.Option(help="Also score labels made without experiments.")] = False,
    figure: Annotated[Path | None, typer.Option(help="Draw where labels fail into this PNG file.")] = None,
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
    from experiments.bench.truth import measure, set_up, set_up_untrained
    from experiments.commands.tables import line_of
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
            neurons=neurons,
            heads=heads,
            images=images,
            progress=tell,
        )
        never = (
            set_up_untrained(
                record, open_target(UNTRAINED, device), untrained, seed, images=images, progress=tell
            )
            if untrained
            else None
        )
        say(f"{len(found.truths) + untrained} components, seed {seed}; the record is `{record.where}`")
        report = measure(
            found,
            chosen_planner(planner, base_url, record),
            untrained=never,
            baselines=baselines,
            allowance=Allowance(jobs=jobs),
            tell=lambda one: say(line_of(one)),
        )
    if figure is not None:
        from experiments.bench.figure import draw_bench
        from experiments.tableau.drawing import save

        save(draw_bench(report.as_json()), figure)
        say(f"the figure is `{figure}`")
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
    apart = found["outside_grammar"]
    for title, kinds in (
        (f"{report.seconds_per_unit:.1f} seconds a unit", [k for k in found["kinds"] if k not in apart]),
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


def share(value: float, ci: list[float]) -> str:
    return f"{value:.2f} [{ci[0]:.2f}, {ci[1]:.2f}]"
