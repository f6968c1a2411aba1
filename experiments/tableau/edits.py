"""`python -m experiments.tableau.edits`: measures `tableau-pix2pix`, and paints a sheet of its edits to look at.

Writes `edits.json` and `edits.png` into the results, or into a folder of your choice.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image

from experiments.registry import WEIGHTS, open_judge
from experiments.tableau.card import RESULTS, combined_hash
from experiments.tableau.edits_check import check_edits
from experiments.tableau.pix2pix import Guidance, Stock, edited, open_pipeline, redrawn
from experiments.tableau.prove import circumstances, write
from experiments.tableau.redraw_check import check_redrawing
from experiments.tableau.sheet import picture_sheet
from experiments.tableau.source import painted
from experiments.tableau.trial_edits import fresh
from tools.targets.load import choose_device

USUAL = Guidance()
SHOWN, INKS = 3, 256
"""Edits of every kind on the sheet, and its colors, few so that the file stays small."""


def main(
    folder: Annotated[Path, typer.Option(help="A folder that DiffusionPipeline loads.")] = WEIGHTS
    / "tableau-pix2pix",
    n: Annotated[int, typer.Option(min=2, help="Edits of every kind.")] = 60,
    pictures: Annotated[int, typer.Option(min=1, help="Pictures for the autoencoder alone.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="Draws scenes, instructions and noise.")] = 0,
    steps: Annotated[int, typer.Option(min=1, help="Steps of denoising.")] = USUAL.steps,
    words: Annotated[float, typer.Option(min=1, help="Pull of the words.")] = USUAL.words,
    picture: Annotated[float, typer.Option(min=1, help="Pull of the picture.")] = USUAL.picture,
    out: Annotated[Path, typer.Option("-o", help="Where the record and the sheet go.")] = RESULTS,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
) -> None:
    """Measure an editor on fresh scenes, by kind of edit, beside both controls."""
    pipeline = open_pipeline(folder, str(choose_device(device)))
    guidance = Guidance(steps, words, picture)
    asked = fresh(n, seed)
    started = time.monotonic()

    def say(done: int) -> None:
        print(f"{done}/{len(asked)} edits, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)

    found = check_edits(
        partial(edited, pipeline, guidance), partial(redrawn, pipeline), open_judge(), asked, seed, say
    )
    about = {
        "autoencoder": check_redrawing(partial(redrawn, pipeline), open_judge(), pictures, seed),
        "target": folder.name,
        "fingerprint": combined_hash(folder),
        "seed": seed,
        "guidance": guidance._asdict(),
    }
    write(out / "edits.json", found | about | circumstances(time.monotonic() - started))
    shown = sheet(pipeline, guidance, seed).quantize(
        INKS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
    )
    shown.save(out / "edits.png", optimize=True)
    for name in ("edits.json", "edits.png"):
        print(out / name)


def sheet(pipeline: Stock, guidance: Guidance, seed: int) -> Image.Image:
    """The first edits of every kind: before, the editor's, and the exact one."""
    asked = fresh(SHOWN, seed)
    before = [painted(one.before) for one in asked]
    made = edited(
        pipeline, guidance, before, [one.wordings[0] for one in asked], range(seed, seed + len(asked))
    )
    exact = [painted(one.after) for one in asked]
    return picture_sheet(
        [side_by_side(row) for row in zip(before, made, exact, strict=True)],
        [one.wordings[0] for one in asked],
        scale=1,
        columns=SHOWN,
        title="Before, as tableau-pix2pix edits it, and the exact edit; the first of each kind, none left out",
    )


def side_by_side(pictures: Sequence[Image.Image], gap: int = 4) -> Image.Image:
    """Pictures of one size in a row on white."""
    width, height = pictures[0].size
    row = Image.new("RGB", ((width + gap) * len(pictures) - gap, height), "white")
    for place, picture in enumerate(pictures):
        row.paste(picture, (place * (width + gap), 0))
    return row


if __name__ == "__main__":
    typer.run(main)
