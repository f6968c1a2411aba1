"""`maieutic bench ladder FILE...`: benches of several seeds in one table, beside the bars. Needs no model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from experiments.commands.options import JsonFlag
from experiments.commands.output import narrate, print_json, print_table
from experiments.commands.show import check_picture_name
from store.errors import UserError

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="What `bench truth --json` printed, one of each seed.")
]


def ladder(
    files: Files,
    figure: Annotated[Path | None, typer.Option(help="Draw it into this PNG file.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Take benches of several seeds together, and hold them against the bars."""
    if figure is not None:
        check_picture_name(figure)
    from experiments.bench.ladder import ladder as taken_together

    found = taken_together([read(path) for path in files])
    if figure is not None:
        from experiments.bench.ladder_figure import draw_ladder
        from experiments.tableau.drawing import save

        save(draw_ladder(found), figure)
        narrate(f"the figure is `{figure}`")
    if as_json:
        print_json(found)
    else:
        print_ladder(found)


def read(path: Path) -> dict[str, Any]:
    """A file's JSON object. Raises UserError with the file's name."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"`{path}` can't be read: {error}", kind="bench", hint="give what `bench truth --json` printed"
        ) from error
    if not isinstance(found, dict):
        raise UserError(
            f"`{path}` holds no JSON object", kind="bench", hint="give what `bench truth --json` printed"
        )
    return found


def print_ladder(found: dict[str, Any]) -> None:
    seeds = [f"seed {seed}#" for seed in found["seeds"]]
    cost = [f"{found['cost'][name]:,g} {name}" for name in ("seconds", "forwards") if found["cost"][name]]
    title = f"{found['planner']} on {found['target']}"
    print_table(
        ["what", "bar#", *seeds, "all seeds#", "n#", ""],
        [bar_row(row) for row in found["bars"]],
        title=f"{title}: {', '.join(cost)} a unit" if cost else title,
    )
    print_table(
        ["kind", *seeds, "all seeds#", "n#"],
        [kind_row(kind, row) for kind, row in found["kinds"].items()],
        title="share of exact concepts by kind",
    )


def kind_row(kind: str, row: dict[str, Any]) -> list[str]:
    seeds = [cell(one, "exact") for one in row["seeds"]]
    return [kind.replace("_", " "), *seeds, cell(row["pooled"], "exact", True), str(row["pooled"]["n"])]


def bar_row(row: dict[str, Any]) -> list[str]:
    pooled = row["pooled"]
    verdict = "met" if pooled["met"] else "missed"
    sign = {"at least": "≥", "at most": "≤", "above": ">"}[row["side"]]
    return [
        row["what"],
        f"{sign} {row['bar']:g}",
        *(cell(one, "value") for one in row["seeds"]),
        cell(pooled, "value", True),
        str(pooled["n"]),
        verdict if pooled["enough"] else f"{verdict}, few units",
    ]


def cell(found: dict[str, Any] | None, name: str, with_interval: bool = False) -> str:
    """A number, with its interval where there is room; `–` where nothing was measured."""
    if found is None:
        return "–"
    low, high = found["ci"]
    return f"{found[name]:.2f}" + (f" [{low:.2f}, {high:.2f}]" if with_interval else f" ({found['n']})")
