"""`python -m experiments.escapes`: makes every attempt and writes what became of it to `tableau/results/escapes.json`.

Then the same attempts in a sandbox that is none, over a record that gives sealed pictures away, where they must get
through: a proof that can't fail proves nothing.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.programs.limits import BOUNDS
from agent.programs.processes import Processes
from agent.programs.sandbox import Sandbox
from experiments.escapes.ajar import set_ajar
from experiments.escapes.attempts import Attempt, about, attempts
from experiments.escapes.canaries import set_out
from experiments.escapes.leaky import Leaky
from experiments.escapes.proof import Prover, Try, table
from experiments.tableau.card import RESULTS
from experiments.tableau.prove import circumstances, write
from experiments.workplace import open_workplace
from store.database import open_store

IMAGES = "tableau:40/24/40"
WATCHED = replace(BOUNDS, patience=4.0)
"""Bounds under which attempts are made: the last kill comes sooner, so that needing it would be seen."""
PATIENT = replace(BOUNDS, seconds=1.0, grace=0.5, patience=4.5)
"""Bounds under which the leaky sandbox is watched; only the last of them stops anything there."""
UNCHECKED, PLANNED, LEAKY = "unchecked", "as a planner's", "leaky"
"""Past the type checker, straight to the interpreter; with it, as planners' programs are; where nothing holds them."""
ALL = f"{UNCHECKED},{LEAKY},{PLANNED}"
FEW = 20
RECORD = RESULTS / "escapes.json"


@contextmanager
def prover(folder: Path, *, ajar: bool = False) -> Iterator[Prover]:
    """The embedded target with few pictures, a store, and every canary in its place; `ajar`, its record leaks."""
    folder.mkdir(parents=True, exist_ok=True)
    with open_store(folder / "store.db") as store:
        workplace = open_workplace(store, "tableau-llava", images=IMAGES, device="cpu")
        workplace.cache = folder / "cache"
        with set_out(folder, workplace) as canaries:
            if ajar:
                set_ajar(workplace, canaries)
            yield Prover(workplace, canaries, PATIENT if ajar else WATCHED)


def main(
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")] = RECORD,
    only: Annotated[str, typer.Option(help="Families, joined by commas; all where none is named.")] = "",
    ways: Annotated[str, typer.Option(help="Ways of making an attempt.")] = ALL,
) -> None:
    """Try to get out of the sandbox, again and again; what is known so far is written after every few."""
    if (only or ways != ALL) and output.resolve() == RECORD:
        raise typer.BadParameter("some of the attempts need a file of their own: name one with `--output`")
    if not (chosen := by_turns(attempts(*filter(None, only.split(","))))):
        raise typer.BadParameter(f"no family is called `{only}`")
    so_far = output.with_suffix(".so-far")
    began, tried = time.monotonic(), list[Try]()
    with tempfile.TemporaryDirectory() as folder:
        for way in ways.split(","):
            with prover(Path(folder).resolve() / way, ajar=way == LEAKY) as made:
                sandbox = sandbox_of(way, made)
                for attempt in chosen:
                    tried.append(made.attempt(attempt, way, sandbox))
                    tell(tried[-1])
                    if len(tried) % FEW == 0 or attempt is chosen[-1]:
                        fingerprint = made.workplace.target.fingerprint
                        write(so_far, record_of(fingerprint, tried) | circumstances(time.monotonic() - began))
    so_far.replace(output)
    typer.echo(str(output))
    held = [one for one in tried if one.way != LEAKY]
    raise typer.Exit(1 if any(one.through or not one.recovered for one in held) else 0)


def by_turns(chosen: Sequence[Attempt]) -> list[Attempt]:
    """The first attempt of every family, then the second of each, and so on: a part of them is of all kinds."""
    families = [[one for one in chosen if one.family == family] for family in about()]
    return [one for row in zip_longest(*families) for one in row if one is not None]


def sandbox_of(way: str, made: Prover) -> Sandbox:
    """The sandbox in which attempts are made one way."""
    if way == LEAKY:
        return Leaky(PATIENT, made.canaries.words["a module"])
    return Processes(WATCHED, checked=way == PLANNED)


def record_of(fingerprint: str, tried: Sequence[Try]) -> dict[str, Any]:
    """What is known so far."""
    held, leaked = ([one for one in tried if (one.way == LEAKY) is leaky] for leaky in (False, True))
    return {
        "target": "tableau-llava",
        "fingerprint": fingerprint,
        "images": IMAGES,
        "bounds": asdict(WATCHED),
        "attempts": len({(one.attempt.family, one.attempt.name) for one in held}),
        "tries": {way: sum(one.way == way for one in tried) for way in dict.fromkeys(o.way for o in tried)},
        "through": sum(bool(one.through) for one in held),
        "recovered": sum(one.recovered for one in held),
        "families": table(held, about()),
        "leaky": {row["family"]: [row["through"], row["tries"]] for row in table(leaked, about())},
        "each": [as_row(one) for one in tried],
    }


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
