"""From records to figures: which files a part's record is drawn into. No model is needed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.tableau.captions_page import page
from experiments.tableau.drawing import save
from experiments.tableau.floors_figure import draw_floors
from experiments.tableau.inside.heads_figure import draw_heads
from experiments.tableau.inside.lens_figure import draw_lens
from experiments.tableau.inside.units_figure import draw_units
from experiments.tableau.train.curves import draw as draw_curves

FIGURES = {
    "floors": {"floors.png": draw_floors},
    "inside": {"inside_units.png": draw_units, "inside_heads.png": draw_heads},
    "lens": {"lens.png": draw_lens},
}


def draw(part: str, record: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draws a part's figures into the folder."""
    drawn = []
    for name, figure in FIGURES.get(part, {}).items():
        save(figure(record), folder / name)
        drawn.append(folder / name)
    if part == "captions":
        drawn.append(folder / "captions.png")
        page(record).save(drawn[-1])
    return drawn


def curves(folder: Path) -> list[Path]:
    """Redraws the training curves from every `curves-NAME.json` in the folder."""
    drawn = []
    for path in sorted(folder.glob("curves-*.json")):
        drawn.append(path.with_suffix(".png"))
        save(draw_curves(json.loads(path.read_text(encoding="utf-8"))), drawn[-1])
    return drawn
