"""`python -m experiments.audit.proof`: audits of models with known habits, over several seeds, and what they are worth.

Records lie in a folder, one an audit, so that a stopped proof goes on where it was.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from experiments.audit.proof.runs import Planned, audited

PICTURES = 56
"""An arm of a sibling's audit."""
MORE = 100
"""An arm of the model that the siblings come from."""
SEEDS = "11,12,13"
SIBLINGS = ("tableau-llava-shortcut", "tableau-llava-balanced")
ITSELF = "tableau-llava"


def plan(n: int, more: int, seeds: list[int]) -> list[Planned]:
    """Cues in both siblings over all seeds; in the model they come from all that can be polled, over two of them."""
    found = [Planned(name, ("spurious",), seed, n) for seed in seeds for name in SIBLINGS]
    for seed in seeds[:2]:
        found.append(Planned(ITSELF, ("hallucination", "text-dominance"), seed, more))
        found.append(Planned(ITSELF, ("spurious",), seed, n))
    return found


def main(
    n: Annotated[int, typer.Option("--n", min=8, help="Pictures an arm, of the siblings.")] = PICTURES,
    more: Annotated[int, typer.Option(min=8, help="Pictures an arm, of the model they come from.")] = MORE,
    seeds: Annotated[str, typer.Option(help="Joined by commas.")] = SEEDS,
    records: Annotated[Path, typer.Option(help="Where audits are kept.")] = Path("out/audits"),
) -> None:
    """Run the audits that are not there yet."""
    for planned in plan(n, more, [int(seed) for seed in seeds.split(",")]):
        print(planned.file, file=sys.stderr, flush=True)
        audited(planned, records, lambda line: print(f"  {line}", file=sys.stderr, flush=True))


if __name__ == "__main__":
    typer.run(main)
