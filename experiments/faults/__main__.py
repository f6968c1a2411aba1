"""`python -m experiments.faults`: every fault, one run each, and what became of it.

Writes `tableau/results/faults.json`, and the table in `docs/faults.md` from it.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from experiments.faults import endpoint, machine
from experiments.faults.endpoint import EndpointFault
from experiments.faults.machine import MachineFault
from experiments.faults.rows import Row, left_in_peace, of_endpoint, of_machine
from experiments.faults.table import DOCUMENT, written
from experiments.faults.trial import COMPONENTS, IMAGES
from experiments.tableau.card import RESULTS


def main(
    only: Annotated[str, typer.Option(help="Words that a fault's name must hold.")] = "",
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")] = RESULTS / "faults.json",
    document: Annotated[Path, typer.Option(help="Page whose table is replaced.")] = DOCUMENT,
) -> None:
    """Meet every fault, go on after it, and compare with a run that is left in peace."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        cache = folder / "cache"
        calm = left_in_peace(folder / "calm", cache)
        faults: list[EndpointFault | MachineFault] = [*endpoint.FAULTS, endpoint.REDIRECT, *machine.FAULTS]
        for number, fault in enumerate(faults):
            if only not in fault.name:
                continue
            if isinstance(fault, EndpointFault):
                rows.append(of_endpoint(fault, folder / str(number), cache, calm))
            else:
                rows.append(of_machine(fault, folder / str(number), cache, calm))
            typer.echo(f"{'held' if rows[-1].held else 'BROKE'}: {fault.name}", err=True)
    held = sum(one.held for one in rows)
    told = {
        "target": "tableau-llava",
        "components": list(COMPONENTS),
        "images": IMAGES,
        "faults": len(rows),
        "held": held,
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(
        json.dumps(told | {"rows": [asdict(one) for one in rows]}, indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
    if document.is_file():
        document.write_text(written(document.read_text(encoding="utf-8"), rows), encoding="utf-8")
    typer.echo(f"{held} of {len(rows)} held; {output}")
    raise typer.Exit(0 if held == len(rows) else 1)


if __name__ == "__main__":
    typer.run(main)
