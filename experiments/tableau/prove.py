"""`python -m experiments.tableau.prove`: measures what is claimed of the embedded models, and draws it.

Each part writes `results/PART.json` with the target's fingerprint; a part that is there for these very weights is not
measured again, so a stopped proof goes on where it was. Figures are drawn from the records alone.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import typer

from experiments.registry import CARD, WEIGHTS, open_target, verify
from experiments.tableau.card import RESULTS
from store.errors import MaieuticError, UsageError
from tools.targets.target import Target

QUICK_RESULTS, OTHER_RESULTS = Path("out") / "prove-quick", Path("out") / "prove"
SAY_EVERY = 10.0
"""Seconds between progress lines of one part."""


@dataclass(frozen=True)
class Sizes:
    """How much is measured; questions and captions are per kind."""

    floors: int = 5000
    pictures: int = 1000
    questions: int = 125
    untrained: int = 3
    language_heads: int = 160
    vision_heads: int = 80
    reference: int = 25
    lens: int = 160
    captions: int = 24
    zero_shot: int = 2000
    regularities: int = 500
    judge: int = 1000


QUICK = Sizes(20, 96, 12, 2, 4, 2, 2, 8, 4, 40, 10, 40)


@dataclass
class Proof:
    """What all parts share: the target, opened when first needed, and where results go."""

    name: str
    device: str
    sizes: Sizes
    seed: int
    folder: Path
    said: float = field(default=0.0)

    @cached_property
    def target(self) -> Target:
        return open_target(self.name, self.device)

    @cached_property
    def contrastive(self) -> Target:
        return open_target("tableau-clip", self.device)

    def subject(self, part: str) -> tuple[str, str]:
        """Name and fingerprint of what the part measures."""
        if part == "judge":
            return "tableau-judge", judge_fingerprint()
        target = self.contrastive if part == "zero-shot" else self.target
        return target.name, target.fingerprint

    def about(self, part: str) -> dict[str, Any]:
        """What a record is of; one that says the same is not measured again."""
        name, fingerprint = self.subject(part)
        return {"target": name, "fingerprint": fingerprint, "seed": self.seed, "sizes": asdict(self.sizes)}

    def say(self, line: str) -> None:
        """A line of progress, at most one in SAY_EVERY seconds."""
        if time.monotonic() - self.said > SAY_EVERY:
            self.said = time.monotonic()
            print(f"  {line}", file=sys.stderr, flush=True)


Measure = Callable[[Proof], dict[str, Any]]
Only = Annotated[str, typer.Option(help="Parts, joined by commas; default: all.")]


def floors(proof: Proof) -> dict[str, Any]:
    """Accuracy by kind, with the grey control."""
    from experiments.tableau.check import check

    def progress(kind: str, done: int, total: int) -> None:
        proof.say(f"{kind}: {done} of {total}")

    return check(proof.target, proof.sizes.floors, proof.seed, progress=progress)


def inside(proof: Proof) -> dict[str, Any]:
    """Units and heads; see the package `inside`."""
    from experiments.tableau.inside.measure import inside as measure

    sizes = proof.sizes
    return measure(
        proof.target,
        pictures=sizes.pictures,
        questions=sizes.questions,
        copies=sizes.untrained,
        language=sizes.language_heads,
        vision=sizes.vision_heads,
        reference=sizes.reference,
        seed=proof.seed,
        say=proof.say,
    )


def lens(proof: Proof) -> dict[str, Any]:
    """How the answer's word rises over the layers."""
    from experiments.tableau.inside.measure import lens as measure

    return measure(proof.target, n=proof.sizes.lens, seed=proof.seed, say=proof.say)


def captions(proof: Proof) -> dict[str, Any]:
    """What the target says of a few scenes; how often that is right is part of `floors`."""
    from experiments.tableau.captions_page import told

    return {"captions": told(proof.target, proof.sizes.captions, proof.seed)}


def zero_shot(proof: Proof) -> dict[str, Any]:
    """Zero-shot reading of attributes by the contrastive model."""
    from experiments.tableau.zero_shot import zero_shot as measure

    return measure(proof.contrastive, proof.sizes.zero_shot, proof.seed)


def regularities(proof: Proof) -> dict[str, Any]:
    """What the planted regularities do to the target's answers."""
    from experiments.tableau.regularities import gaps

    return gaps(proof.target, proof.sizes.regularities, proof.seed)


def judge(proof: Proof) -> dict[str, Any]:
    """How often the concept judge is right."""
    from experiments.registry import open_judge
    from experiments.tableau.judge_check import check_judge

    return check_judge(open_judge(), proof.sizes.judge, judge_fingerprint())


MEASURES: dict[str, Measure] = {
    "floors": floors,
    "inside": inside,
    "lens": lens,
    "captions": captions,
    "zero-shot": zero_shot,
    "regularities": regularities,
    "judge": judge,
}
PARTS = (*MEASURES, "curves")
EVERYTHING = ",".join(PARTS)
app = typer.Typer(add_completion=False)


@app.command()
def main(
    target: Annotated[
        str, typer.Option(help="An embedded target or a folder of the same world.")
    ] = "tableau-llava",
    only: Only = EVERYTHING,
    quick: Annotated[
        bool, typer.Option(help="A few minutes: too small to show anything but that it runs.")
    ] = False,
    force: Annotated[bool, typer.Option(help="Measure again what is there.")] = False,
    device: str = "auto",
    seed: int = 0,
    folder: Annotated[Path | None, typer.Option(help="Where results go.")] = None,
) -> None:
    """Measure a target and draw the figures."""
    chosen = only.split(",")
    if unknown := [part for part in chosen if part not in PARTS]:
        fail(UsageError(f"`{unknown[0]}` is not a part", hint=f"parts: {', '.join(PARTS)}"))
    where = folder or (
        QUICK_RESULTS if quick else RESULTS if target == "tableau-llava" else OTHER_RESULTS / target
    )
    proof = Proof(target, device, QUICK if quick else Sizes(), seed, where)
    try:
        for part in PARTS:
            if part in chosen:
                prove(part, proof, force=force)
    except MaieuticError as error:
        fail(error)


def prove(part: str, proof: Proof, *, force: bool) -> None:
    """Measures one part unless it is there, and draws its figures."""
    from experiments.tableau.results import curves, draw

    if part == "curves":
        for file in curves(proof.folder):
            print(file)
        return
    path = proof.folder / f"{part}.json"
    about = proof.about(part)
    if force or not there(path, about):
        print(part, file=sys.stderr, flush=True)
        started = time.monotonic()
        values = MEASURES[part](proof)
        write(path, values | about | circumstances(time.monotonic() - started))
    for file in draw(part, json.loads(path.read_text(encoding="utf-8")), proof.folder):
        print(file)


def there(path: Path, about: dict[str, Any]) -> bool:
    """Whether the record is of these very weights, from this seed and of this size."""
    if not path.is_file():
        return False
    record = json.loads(path.read_text(encoding="utf-8"))
    return all(record.get(name) == value for name, value in about.items())


def judge_fingerprint() -> str:
    """The hash of the judge's weights file, which its card states."""
    verify(WEIGHTS / "tableau-judge")
    card = json.loads((WEIGHTS / "tableau-judge" / CARD).read_text(encoding="utf-8"))
    return str(card["sha256"]["model.safetensors"])


def circumstances(seconds: float) -> dict[str, Any]:
    """How long it took, where and with what."""
    import torch
    import transformers

    return {
        "seconds": round(seconds, 1),
        "threads": torch.get_num_threads(),
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
    }


def write(path: Path, record: dict[str, Any]) -> None:
    """Writes the record under a temporary name first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def fail(error: MaieuticError) -> None:
    print(f"Error: {error.message}\nHint: {error.hint}", file=sys.stderr)
    raise typer.Exit(error.exit_code)


if __name__ == "__main__":
    app()
