"""`python -m experiments.faults`: every fault, one run each, and what became of it.

Writes `tableau/results/faults.json`, and the table in `docs/faults.md` from it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from experiments.faults import endpoint, machine
from experiments.faults.endpoint import EndpointFault
from experiments.faults.machine import MachineFault
from experiments.faults.rows import Row, left_in_peace, of_endpoint, of_machine
from experiments.faults.table import DOCUMENT, written
from experiments.faults.trial import COMPONENTS, IMAGES
from experiments.tableau.card import RESULTS

RECORD = RESULTS / "faults.json"


def main(
    only: Annotated[str, typer.Option(help="Words that a fault's name must hold.")] = "",
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")] = RECORD,
    document: Annotated[Path, typer.Option(help="Page whose table is replaced.")] = DOCUMENT,
    cache: Annotated[
        Path | None, typer.Option(help="Where measurements are kept that all runs share.")
    ] = None,
) -> None:
    """Meet every fault, go on after it, and compare with a run that is left in peace."""
    rows: list[Row] = []
    every: list[EndpointFault | MachineFault] = [*endpoint.FAULTS, endpoint.REDIRECT, *machine.FAULTS]
    faults = [fault for fault in every if only in fault.name]
    if not faults:
        raise typer.BadParameter(f"no fault is called `{only}`")
    if len(faults) < len(every) and output.resolve() == RECORD:
        raise typer.BadParameter("some of the faults need a file of their own: name one with `--output`")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        kept = cache or folder / "cache"
        calm = left_in_peace(folder / "calm", kept)
        for number, fault in enumerate(faults):
            if isinstance(fault, EndpointFault):
                rows.append(of_endpoint(fault, folder / str(number), kept, calm))
            else:
                rows.append(of_machine(fault, folder / str(number), kept, calm))
            typer.echo(f"{'held' if rows[-1].held else 'BROKE'}: {fault.name}", err=True)
            keep(rows, output.with_suffix(".so-far"))
    output.with_suffix(".so-far").replace(output)
    if document.is_file() and not only:
        document.write_text(written(document.read_text(encoding="utf-8"), rows), encoding="utf-8")
    held = sum(one.held for one in rows)
    typer.echo(f"{held} of {len(rows)} held; {output}")
    raise typer.Exit(0 if held == len(rows) else 1)


def keep(rows: Sequence[Row], output: Path) -> None:
    """What has been seen so far."""
    told: dict[str, Any] = {"target": "tableau-llava", "components": list(COMPONENTS), "images": IMAGES}
    told |= {"faults": len(rows), "held": sum(one.held for one in rows)}
    output.parent.mkdir(parents=True, exist_ok=True)
    whole = told | {"rows": [asdict(one) for one in rows]}
    output.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
