"""`python -m experiments.audit.proof`: audits of models with known habits, over several seeds, and what they are worth.

Records lie in a folder, one an audit, so that a stopped proof goes on where it was.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from experiments.audit.proof.runs import Planned, audited
from store.audits import Topic

PICTURES = 160
"""An arm: as many as it takes to refute, where four arms of independent pictures show no error at all."""
SEEDS = "11,12,13"
SIBLINGS = ("tableau-llava-shortcut", "tableau-llava-balanced")
ITSELF = "tableau-llava"
TOPICS: tuple[Topic, ...] = ("hallucination", "spurious", "text-dominance")


def plan(n: int, seeds: list[int]) -> list[Planned]:
    """Cues in both siblings, and all that can be polled in the model that they come from; seed by seed."""
    found = []
    for seed in seeds:
        found += [Planned(name, ("spurious",), seed, n) for name in SIBLINGS]
        found.append(Planned(ITSELF, TOPICS, seed, n))
    return found


def main(
    n: Annotated[int, typer.Option("--n", min=8, help="Pictures an arm.")] = PICTURES,
    seeds: Annotated[str, typer.Option(help="Joined by commas.")] = SEEDS,
    records: Annotated[Path, typer.Option(help="Where audits are kept.")] = Path("out/audits"),
) -> None:
    """Run the audits that are not there yet."""
    for planned in plan(n, [int(seed) for seed in seeds.split(",")]):
        print(planned.file, file=sys.stderr, flush=True)
        audited(planned, records, lambda line: print(f"  {line}", file=sys.stderr, flush=True))


if __name__ == "__main__":
    typer.run(main)
