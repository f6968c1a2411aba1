"""`python -m experiments.kills`: labelling runs that are killed again and again, against ones that are left in peace.

Every kill is SIGKILL to the process at a random moment, counted by turns from its beginning and from the first thing
that it measured, and every next life is `maieutic label --resume`. What was acknowledged before a kill must be there
after it, nothing may be there twice, and in the end descriptions, scores and evidence must be those of the undisturbed
run. Half of the kills meet the built-in planner, half a scripted language model that writes programs; every other run
works at several components at once. Writes `tableau/results/kills.json`.
"""

from __future__ import annotations

import json
import math
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from experiments.facts import Spot, differences, evidence, facts, measured
from experiments.faults.server import serving
from experiments.lives import Life
from experiments.programming import programs
from experiments.tableau.card import RESULTS
from store.database import open_store

Planner = Literal["builtin", "programs"]
COMPONENTS = "vision.3.mlp[0:2],language.2.head.0"
IMAGES = "tableau:64/32/64"
FIRST = 6.0
"""Seconds that a life may last at most, at first."""
LONGER = 0.6
"""Seconds that it may last at most from the first thing that it measured, where they are counted from there."""
AT_ONCE = 3


@dataclass
class Witness:
    """What one proof saw. `lost`, `doubled` and `differences` must be empty."""

    fingerprint: str = ""
    kills: int = 0
    runs: int = 0
    lives: int = 0
    experiments: int = 0
    components: int = 0
    killed_at: list[int] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.differences)


def prove(
    folder: Path,
    planner: Planner,
    kills: int,
    seed: int,
    say: Callable[[str], None] = lambda _: None,
    *,
    components: str = COMPONENTS,
    patience: float = FIRST,
) -> Witness:
    """Kills labelling runs so many times, and compares each with one that nobody disturbed.

    A life lasts up to `patience` seconds at first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    began, chance, witness = time.monotonic(), random.Random(seed), Witness()
    with _words(planner, components) as (words, more):
        calm = Life(folder / "calm.db", folder / "calm-cache", words, more)
        calm.live()
        with open_store(calm.store) as opened:
            run = opened.queries.runs()[0]
            expected, witness.fingerprint = facts(opened, run.id), run.fingerprint
        number = 0
        while witness.kills < kills:
            number += 1
            jobs = ("--jobs", str(AT_ONCE)) if number % 2 == 0 else ()
            life = Life(folder / f"killed-{number}.db", folder / f"cache-{number}", words, (*more, *jobs))
            _hunt(life, kills, patience, chance, witness, lambda said: say(f"{planner}: {said}"))
            with open_store(life.store) as opened:
                found = facts(opened, opened.queries.runs()[0].id)
                witness.differences += differences(expected, found, f"run {number}")
    witness.runs, witness.components = number, len(expected["descriptions"])
    witness.experiments = len(expected["experiments"])
    witness.seconds = round(time.monotonic() - began, 1)
    return witness


@contextmanager
def _words(planner: Planner, components: str) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """What a run is begun with, and what it is gone on with besides."""
    words = ("tableau-llava", "--components", components, "--images", IMAGES)
    if planner == "builtin":
        yield words, ()
        return
    os.environ.setdefault("OPENAI_API_KEY", "none")
    with serving(programs) as endpoint:
        yield (*words, "--planner", "openai:scripted"), ("--base-url", endpoint.url)


def _hunt(
    life: Life,
    kills: int,
    shortest: float,
    chance: random.Random,
    witness: Witness,
    say: Callable[[str], None],
) -> None:
    """Kills one run until it is done all the same, or the kills are used up and it may end in peace.

    A life that got nothing done is followed by one that may last longer: some calls take their time.
    """
    kept: dict[int, tuple[Spot, str]] = {}
    patience = shortest
    while True:
        last = witness.kills >= kills
        seconds = math.inf if last else chance.uniform(0.0, patience)
        if last or witness.lives % 2 == 0:
            survived = life.live(seconds)
        else:
            survived = life.live(chance.uniform(0.0, LONGER), partial(_beyond, life.store, len(kept)))
        witness.lives += 1
        with open_store(life.store) as opened:
            runs = opened.queries.runs()
            found = evidence(opened, runs[0].id) if runs else {}
        witness.lost += [f"e{number} {spot}" for number, spot in kept.items() if found.get(number) != spot]
        spots = [spot for spot, _ in found.values()]
        witness.doubled += [str(spot) for spot in set(spots) if spots.count(spot) > 1]
        witness.doubled += [f"run {one.id}" for one in runs[1:]]
        if survived:
            return
        witness.kills += 1
        witness.killed_at.append(len(found))
        patience = shortest if len(found) > len(kept) else 2 * patience
        kept = found
        say(f"kill {witness.kills} of {kills}: {len(found)} experiments are kept")


def _beyond(store: Path, known: int) -> bool:
    return measured(store) > known


def main(
    kills: Annotated[int, typer.Option(min=2, help="How many times they are killed in all.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="What the moments are drawn from.")] = 0,
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")] = RESULTS / "kills.json",
) -> None:
    """Kill labelling runs at random moments, and see what is left."""
    planners: tuple[Planner, ...] = ("builtin", "programs")
    with tempfile.TemporaryDirectory() as folder:
        witnesses = {
            planner: prove(
                Path(folder) / planner, planner, kills // 2, seed, lambda line: typer.echo(line, err=True)
            )
            for planner in planners
        }
    clean = all(witness.clean for witness in witnesses.values())
    told = {
        "target": "tableau-llava",
        "components": COMPONENTS,
        "images": IMAGES,
        "seed": seed,
        "clean": clean,
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    found = told | {"witnesses": {name: asdict(witness) for name, witness in witnesses.items()}}
    output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    typer.echo(str(output))
    raise typer.Exit(0 if clean else 1)


if __name__ == "__main__":
    typer.run(main)
