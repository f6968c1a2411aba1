"""`python -m experiments.audit.proof`: audits of models with known habits, over several seeds, and what they are worth.

Records lie in a folder, one an audit, so that a stopped proof goes on where it was. What they are worth goes into
`tableau/results/audits.json`, which is not made again for these very weights, seeds and sizes, and a figure beside it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from experiments.audit.proof.figure import draw_audits
from experiments.audit.proof.marks import marks
from experiments.audit.proof.power import DRAWS, power
from experiments.audit.proof.runs import Planned, Record, audited
from experiments.registry import CARD, WEIGHTS
from experiments.tableau.card import RESULTS
from experiments.tableau.drawing import save
from experiments.tableau.prove import write

FEW = 32
"""An arm of the sibling that leans on its cues: gaps of more than fifty points are found with few pictures."""
PICTURES = 96
"""An arm where nothing should be found: enough to refute, where there is no error at all."""
TOLD = 64
"""An arm of polls, captions and texts."""
MAPPED, TEXTS = 64, 128
"""Four times the pictures of which each kind gets maps; an arm of the last seed's audit of texts alone."""
SEEDS = "11,12,13"
SIBLINGS = ("tableau-llava-shortcut", "tableau-llava-balanced")
ITSELF = "tableau-llava"
ABOUT = ("target", "fingerprint", "topics", "seed", "n", "forwards", "seconds", "code")
"""What is told of an audit beside its findings."""


def plan(few: int, n: int, told: int, seeds: Sequence[int]) -> list[Planned]:
    """Cues in both siblings over all seeds; in the model they come from all that can be asked, over two of them; maps
    over the first, texts over the last again."""
    leaning, weaned = SIBLINGS
    found = []
    for number, seed in enumerate(seeds):
        found += [Planned(leaning, ("spurious",), seed, few), Planned(weaned, ("spurious",), seed, n)]
        if number < 2:
            found.append(Planned(ITSELF, ("hallucination", "text-dominance"), seed, told))
    found += [Planned(ITSELF, ("spurious",), seed, n) for seed in seeds[:2]]
    found.append(Planned(ITSELF, ("grounding",), seeds[0], min(told, MAPPED)))
    return [*found, Planned(ITSELF, ("text-dominance",), seeds[-1], min(2 * told, TEXTS))]


def main(
    few: Annotated[int, typer.Option(min=8, help="Pictures an arm where there is much to find.")] = FEW,
    n: Annotated[int, typer.Option("--n", min=8, help="Pictures an arm where there is nothing.")] = PICTURES,
    told: Annotated[int, typer.Option(min=8, help="Pictures an arm of surveys with captions.")] = TOLD,
    seeds: Annotated[str, typer.Option(help="Joined by commas.")] = SEEDS,
    records: Annotated[Path, typer.Option(help="Where audits are kept.")] = Path("out/audits"),
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")] = RESULTS / "audits.json",
    force: Annotated[bool, typer.Option(help="Mark again what is there.")] = False,
) -> None:
    """Run the audits that are not there yet, and mark them."""
    planned = plan(few, n, told, [int(seed) for seed in seeds.split(",")])
    about = {"plan": [one.file for one in planned], "fingerprints": fingerprints(planned)}
    if force or not _there(output, about):
        made = []
        for one in planned:
            _say(one.file)
            made.append(audited(one, records, lambda line: _say(f"  {line}")))
        write(output, about | worth(made))
    save(draw_audits(json.loads(output.read_text(encoding="utf-8"))), output.with_suffix(".png"))
    print(output)


def worth(records: Sequence[Record], *, draws: int = DRAWS) -> dict[str, Any]:
    """What all audits together are worth; `draws` are those that the rule's power is counted on."""
    gaps = {one["target"]: one for one in map(_read, sorted(RESULTS.glob("regularities*.json")))}
    sizes = dict.fromkeys((one["n"], len(one["findings"])) for one in records)
    return {
        "seeds": list(dict.fromkeys(one["seed"] for one in records)),
        "audits": [{name: one[name] for name in ABOUT} for one in records],
        **marks(records, gaps),
        "power": {str(n): power(n, max(m for k, m in sizes if k == n), draws=draws) for n, _ in sizes},
    }


def fingerprints(planned: Sequence[Planned]) -> dict[str, str]:
    """By target, the hash that its card states."""
    names = dict.fromkeys(one.target for one in planned)
    return {name: str(_read(WEIGHTS / name / CARD)["fingerprint"]) for name in names}


def _there(output: Path, about: dict[str, Any]) -> bool:
    return output.is_file() and about.items() <= _read(output).items()


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    typer.run(main)
