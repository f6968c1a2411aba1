"""`python -m experiments.kills`: a labelling run that is killed again and again, against one that is left in peace.

Every kill is SIGKILL to the process at a random moment, and every next life is `maieutic label --resume`. What was
acknowledged before a kill must be there after it, nothing may be there twice, and in the end descriptions, scores and
evidence must be those of the undisturbed run. Writes what it saw to `tableau/results/kills.json`.
"""

from __future__ import annotations

import json
import math
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from experiments.tableau.card import RESULTS
from store.database import Store, open_store

CLOSE = 1e-4
"""Difference of numbers that two runs may show."""
COMPONENTS = "vision.3.mlp[0:2],language.2.head.0"
IMAGES = "tableau:64/32/64"
FIRST = 16.0
"""Seconds that a life may last at most, at first; much of it is needed to get going."""
Spot = tuple[str, int, int]
"""Thread, step and call: how two runs know the same experiment, whose numbers differ."""
NUMBERED = ("evidence", "experiments", "experiment")
"""Fields that hold numbers of experiments."""
VARYING = frozenset({"seconds", "cost", "sha256"})
"""What two measurements of the same thing may differ in."""
_MARK = re.compile(r"\be(\d+)\b")


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


def evidence(store: Store, run: str) -> dict[int, tuple[Spot, str]]:
    """Every experiment of a run by its number: where it was made, and when it began."""
    found = store.queries.experiments(run, test=True)
    return {one.number: ((one.thread, one.step, one.call), one.started) for one in found}


def facts(store: Store, run: str) -> dict[str, Any]:
    """What a run says in the end, without anything that may differ between two equal runs."""
    queries = store.queries
    made = queries.experiments(run, test=True)
    spots = {one.number: f"{one.thread}/{one.step}/{one.call}" for one in made}
    return {
        "experiments": {
            spots[one.number]: renumbered([one.tool, one.arguments, one.result], spots) for one in made
        },
        "descriptions": {
            one.component: renumbered(one.model_dump(mode="json"), spots)
            for one in queries.descriptions(run, test=True)
        },
        "hypotheses": {
            one.address: [
                [said.number, said.hypothesis.model_dump(mode="json")]
                + [renumbered(verdict.model_dump(mode="json"), spots) for verdict in said.verdicts]
                for said in queries.hypotheses(run, one.address)
            ]
            for one in queries.components(run)
        },
    }


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Places in which two values of the same shape are not the same, numbers within CLOSE."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = [name for name in {**one, **other} if name not in VARYING]
        return [
            line
            for name in names
            for line in (
                differences(one[name], other[name], f"{where}.{name}")
                if name in one and name in other
                else [f"{where}.{name}: only in one"]
            )
        ]
    if isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [line for place, (a, b) in pairs for line in differences(a, b, f"{where}[{place}]")]
    if isinstance(one, float) and isinstance(other, float | int):
        same = math.isclose(one, other, rel_tol=CLOSE, abs_tol=CLOSE)
    else:
        same = one == other
    return [] if same else [f"{where}: {str(one)[:80]} | {str(other)[:80]}"]


def prove(folder: Path, kills: int, seed: int, say: Callable[[str], None] = lambda _: None) -> Witness:
    """Kills labelling runs so many times, and compares each with one that nobody disturbed."""
    folder.mkdir(parents=True, exist_ok=True)
    began, chance, witness = time.monotonic(), random.Random(seed), Witness()
    calm = Life(folder / "calm.db", folder / "calm-cache")
    calm.live(math.inf)
    with open_store(calm.store) as opened:
        run = opened.queries.runs()[0]
        expected, witness.fingerprint = facts(opened, run.id), run.fingerprint
    number = 0
    while witness.kills < kills:
        number += 1
        hunted = Life(folder / f"killed-{number}.db", folder / f"cache-{number}")
        _hunt(hunted, kills, chance, witness, say)
        with open_store(hunted.store) as opened:
            found = facts(opened, opened.queries.runs()[0].id)
            witness.differences += differences(expected, found, f"run {number}")
    witness.runs, witness.components = number, len(expected["descriptions"])
    witness.experiments = len(expected["experiments"])
    witness.seconds = round(time.monotonic() - began, 1)
    return witness


def _hunt(
    life: Life, kills: int, chance: random.Random, witness: Witness, say: Callable[[str], None]
) -> None:
    """Kills one run until it is done all the same, or the kills are used up and it may end in peace.

    A life that got nothing done is followed by one that may last longer: some calls take their time.
    """
    kept: dict[int, tuple[Spot, str]] = {}
    patience = FIRST
    while True:
        last = witness.kills >= kills
        survived = life.live(math.inf if last else chance.uniform(0.0, patience))
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
        patience = FIRST if len(found) > len(kept) else 2 * patience
        kept = found
        say(f"kill {witness.kills} of {kills}: {len(found)} experiments are kept")


@dataclass(frozen=True)
class Life:
    """A labelling run that is begun, or gone on with, in a process of its own."""

    store: Path
    cache: Path

    def live(self, seconds: float) -> bool:
        """Lets it work so long and kills it; True when it was done before. Raises RuntimeError where it failed."""
        environment = os.environ | {"MAIEUTIC_CACHE": str(self.cache), "MAIEUTIC_STORE": str(self.store)}
        with subprocess.Popen(
            [sys.executable, "-m", "maieutic", "label", *self._words()],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                _, told = process.communicate(timeout=None if math.isinf(seconds) else seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                return False
        if process.returncode:
            raise RuntimeError(f"a life ended with {process.returncode}: {told[-2000:]}")
        return True

    def _words(self) -> list[str]:
        if self.store.is_file():
            with open_store(self.store) as opened:
                if runs := opened.queries.runs():
                    return ["--resume", runs[0].id]
        return ["tableau-llava", "--components", COMPONENTS, "--images", IMAGES]


def renumbered(value: Any, spots: dict[int, str], field_name: str = "") -> Any:
    """The value with experiments called by their places instead of their numbers."""
    if isinstance(value, dict):
        return {name: renumbered(part, spots, name) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [renumbered(part, spots, field_name) for part in value]
    if isinstance(value, int) and field_name in NUMBERED:
        return spots.get(value, "?")
    if isinstance(value, str):
        return _MARK.sub(lambda mark: spots.get(int(mark[1]), "?"), value)
    return value


def main(
    kills: Annotated[int, typer.Option(min=1, help="How many times it is killed.")] = 50,
    seed: Annotated[int, typer.Option(min=0, help="What the moments are drawn from.")] = 0,
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")] = RESULTS / "kills.json",
) -> None:
    """Kill labelling runs at random moments, and see what is left."""
    with tempfile.TemporaryDirectory() as folder:
        witness = prove(Path(folder), kills, seed, lambda line: typer.echo(line, err=True))
    told = {
        "target": "tableau-llava",
        "components": COMPONENTS,
        "images": IMAGES,
        "seed": seed,
        "clean": witness.clean,
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(told | {"witness": asdict(witness)}, indent=2) + "\n", encoding="utf-8")
    typer.echo(str(output))
    raise typer.Exit(0 if witness.clean else 1)


if __name__ == "__main__":
    typer.run(main)
