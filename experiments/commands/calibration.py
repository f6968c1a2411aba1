"""`maieutic bench calibration RUN`: whether a planner's confidence comes true on the sealed test. Needs no model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.commands.options import JsonFlag, StorePlace
from experiments.commands.output import narrate, print_json, print_table
from experiments.commands.show import check_picture_name

if TYPE_CHECKING:
    from experiments.scoring.calibration import Calibration

Runs = Annotated[list[str], typer.Argument(metavar="RUN...", help="Ids of runs, taken together.")]


def calibration(
    runs: Runs,
    figure: Annotated[Path | None, typer.Option(help="Draw it into this PNG file.")] = None,
    store: StorePlace = "",
    also: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STORE", help="A further record, where the runs are of several; may be repeated."
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Compare what planners said their words' chance to be with how often the test verified them."""
    if figure is not None:
        check_picture_name(figure)
    from experiments.scoring.calibration import together

    found = together(list(read(runs, [store, *(also or ())]))).as_json()
    if figure is not None:
        from experiments.bench.calibration_figure import draw_calibration
        from experiments.tableau.drawing import save

        save(draw_calibration(found), figure)
        narrate(f"the figure is `{figure}`")
    if as_json:
        print_json(found)
    else:
        print_calibration(found)


def read(runs: list[str], stores: list[str]) -> Iterator[Calibration]:
    """What became of the runs, store by store. Raises UserError for a run that none of them has."""
    from experiments.scoring.calibration import outcomes_of
    from store.database import known_store

    left = list(dict.fromkeys(runs))
    for place, where in enumerate(stores, 1):
        with known_store(where or None) as record:
            known = {run.id for run in record.queries.runs()}
            here = [run for run in left if run in known or place == len(stores)]
            yield outcomes_of(record, here)
        left = [run for run in left if run not in here]


def print_calibration(found: dict[str, Any]) -> None:
    out = ", ".join(f"{count} {why}" for why, count in found["left_out"].items()) or "none"
    rows = [
        [
            name,
            *(interval(one[what], what) for what in ("gap", "ece")),
            f"{one['ece']['chance']:.3f}",
            interval(one["brier"], "brier"),
        ]
        for name in ("confidence", "mapped", "chance")
        if (one := found[name])
    ]
    n = f"{found['verified']} of {found['n']} verified; left out: {out}"
    print_table(["probability", "said − true#", "ECE#", "by chance <#", "Brier#"], rows, title=n)
    bins = [
        [
            f"{one['low']:.1f} to {one['high']:.1f}",
            f"{one['said']:.2f}",
            interval(one, "verified"),
            str(one["n"]),
        ]
        for one in found["confidence"]["bins"]
    ]
    print_table(["confidence", "mean#", "verified#", "n#"], bins)
    if (fitted := found["map"]) is not None:
        narrate(
            f"map, fitted on select (n = {fitted['n']}): {fitted['slope']:.2f} × log odds {fitted['shift']:+.2f}"
        )


def interval(one: dict[str, Any], name: str) -> str:
    """A number with its interval."""
    return f"{one[name]:.3f} [{one['ci'][0]:.3f}, {one['ci'][1]:.3f}]"
