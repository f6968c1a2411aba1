"""What an editor's autoencoder alone loses: the judge reads the same pictures before and after it.

Knows scene graphs and what a judge sees; knows nothing about edits (edits_check.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image

from experiments.tableau.edits_check import AT_ONCE, nearest, seen_scenes
from experiments.tableau.judge import Judge
from experiments.tableau.phrases import ATTRIBUTES
from experiments.tableau.sampler import sample
from experiments.tableau.scene import Scene
from experiments.tableau.source import painted
from experiments.tableau.trial_edits import STREAM
from tools.scoring.intervals import wilson


def check_redrawing(
    redraw: Callable[[Sequence[Image.Image]], list[Image.Image]], judge: Judge, scenes: int, seed: int
) -> dict[str, Any]:
    """Shares of what the judge reads right in pictures (`shown`) and in their redrawings (`redrawn`).

    `found` counts things with a center where they stand, the attributes count those of things found, `background` and
    `number` (as many centers as things) count pictures.
    """
    right: dict[str, defaultdict[str, list[bool]]] = {
        "shown": defaultdict(list),
        "redrawn": defaultdict(list),
    }
    first = (seed << 40) + (1 << 39)
    true = [sample(first + number, "balanced", STREAM) for number in range(scenes)]
    for start in range(0, scenes, AT_ONCE):
        part = true[start : start + AT_ONCE]
        pictures = [painted(one) for one in part]
        for name, looked_at in (("shown", pictures), ("redrawn", redraw(pictures))):
            for one, seen in zip(part, seen_scenes(judge, looked_at), strict=True):
                _compare(right[name], one, seen)
    return {
        name: {what: wilson(sum(found), len(found)).as_json("accuracy") for what, found in answers.items()}
        for name, answers in right.items()
    }


def _compare(right: defaultdict[str, list[bool]], true: Scene, seen: Scene) -> None:
    """Adds what one picture's reading gets right."""
    right["background"].append(seen.background == true.background)
    right["number"].append(len(seen.things) == len(true.things))
    for thing in true.things:
        here = nearest(thing, seen.things)
        right["found"].append(here is not None)
        if here is not None:
            for name in ATTRIBUTES:
                right[name].append(getattr(here, name) == getattr(thing, name))
