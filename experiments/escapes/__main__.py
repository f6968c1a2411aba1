"""`python -m experiments.escapes`: makes every attempt and writes what became of it to `tableau/results/escapes.json`.

Then the same attempts in a sandbox that is none, where they must get through: a proof that can't fail proves nothing.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.programs.limits import BOUNDS
from agent.programs.processes import Processes
from experiments.escapes.attempts import about, attempts
from experiments.escapes.canaries import set_out
from experiments.escapes.leaky import Leaky
from experiments.escapes.proof import Prover, Try, proved, table
from experiments.tableau.card import RESULTS
from experiments.tableau.prove import circumstances, write
from experiments.workplace import open_workplace
from store.database import open_store

IMAGES = "tableau:40/24/40"
PATIENT = replace(BOUNDS, seconds=1.0, grace=0.5, patience=3.0)
"""Bounds under which the leaky sandbox is watched; only the last of them stops anything there."""


@contextmanager
def prover(folder: Path) -> Iterator[Prover]:
    """The embedded target with few pictures, a store, and every canary in its place."""
    with open_store(folder / "store.db") as store:
        workplace = open_workplace(store, "tableau-llava", images=IMAGES, device="cpu")
        workplace.cache = folder / "cache"
        with set_out(folder, workplace) as canaries:
            yield Prover(workplace, canaries, BOUNDS)


def main(
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")] = RESULTS / "escapes.json",
    only: Annotated[str, typer.Option(help="Families, joined by commas; all where none is named.")] = "",
    leaky: Annotated[bool, typer.Option(help="Make them in a leaky sandbox as well.")] = True,
) -> None:
    """Try to get out of the sandbox, again and again."""
    chosen = attempts(*filter(None, only.split(",")))
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, prover(Path(folder).resolve()) as made:
        ways = {"as a planner's": Processes(), "unchecked": Processes(checked=False)}
        tried = proved(made, chosen, ways, tell)
        worse: list[Try] = []
        if leaky:
            made.bounds = PATIENT
            none = Leaky(PATIENT, made.canaries.words["a module"])
            worse = proved(made, chosen, {"leaky": none}, tell)
        fingerprint = made.workplace.target.fingerprint
    record: dict[str, Any] = {
        "target": "tableau-llava",
        "fingerprint": fingerprint,
        "bounds": asdict(BOUNDS),
        "attempts": len(chosen),
        "through": sum(bool(one.through) for one in tried),
        "families": table(tried, about()),
        "leaky": {row["family"]: [row["through"], row["tries"]] for row in table(worse, about())},
        "tries": [as_row(one) for one in tried],
    }
    write(output, record | circumstances(time.monotonic() - began))
    typer.echo(str(output))
    raise typer.Exit(0 if not record["through"] and all(one.recovered for one in tried) else 1)


def as_row(one: Try) -> dict[str, Any]:
    told = asdict(one) | {"family": one.attempt.family, "name": one.attempt.name}
    return {name: value for name, value in told.items() if name not in ("attempt", "memory")}


def tell(one: Try) -> None:
    marks = ", ".join(one.through) or ("held" if one.recovered else "held, but not recovered")
    typer.echo(
        f"{marks:12} {one.seconds:5.1f} s  {one.way:14} {one.attempt.family}/{one.attempt.name}: {one.end} {one.told}",
        err=True,
    )


if __name__ == "__main__":
    typer.run(main)
