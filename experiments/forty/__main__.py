"""`python -m experiments.forty`: asks the forty in their places and writes what came of it."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from experiments.forty.control import untrained_says_yes
from experiments.forty.places import Places
from experiments.forty.proof import Marked, asked, mispaired, shares
from experiments.forty.table import FORTY
from experiments.tableau.card import RESULTS
from experiments.tableau.prove import circumstances, write
from store.database import open_store

IMAGES = "tableau:600/250/400"


def main(
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")] = RESULTS
    / "questions.json",
    images: Annotated[str, typer.Option(help="Painted pictures to work with.")] = IMAGES,
    only: Annotated[str, typer.Option(help="Places, joined by commas; all where none is named.")] = "",
) -> None:
    """Ask forty questions with known answers, and count the right ones."""
    chosen = [one for one in FORTY if not only or one.place in only.split(",")]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "store.db") as store:
        places = Places(store, Path(folder) / "cache", images)
        found = asked(places, chosen, tell)
        control = untrained_says_yes(places, chosen)
        fingerprint = places.workplace("whole").target.fingerprint
    record: dict[str, Any] = {
        "target": "tableau-llava",
        "fingerprint": fingerprint,
        "images": images,
        "marks": shares(one.mark for one in found),
        "controls": {"truth_of_another": shares(mispaired(found)), "never_trained_says_yes": control},
        "questions": [one.as_json() for one in found],
    }
    write(output, record | circumstances(time.monotonic() - began))
    typer.echo(str(output))


def tell(one: Marked) -> None:
    words = one.case.text or "(nothing)"
    typer.echo(
        f"{one.mark:9} {one.seconds:5.0f} s  {one.case.place}: {words} {one.reason}".rstrip(), err=True
    )


if __name__ == "__main__":
    typer.run(main)
