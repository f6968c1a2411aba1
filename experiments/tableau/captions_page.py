"""A page of scenes with what a target says of them, mistakes shown beside the truth. A look, not a measurement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import Image

from experiments.tableau.captions import caption
from experiments.tableau.data import scene
from experiments.tableau.questions import CAPTION_PROMPT
from experiments.tableau.render import render, to_image
from experiments.tableau.sheet import contact_sheet
from tools.targets.answer import answer
from tools.targets.target import Target

LONGEST = 48
FIRST = 1 << 30
"""Number of the first scene in `check`: far behind those that captions are measured on."""


def told(target: Target, n: int, seed: int) -> list[dict[str, Any]]:
    """The target's captions of `n` fresh scenes: `scene` (its number in `check`), `said` and `truth`."""
    numbers = range(FIRST, FIRST + n)
    scenes = [scene("check", number, seed) for number in numbers]
    pictures = [to_image(render(seen)) for seen in scenes]
    said = answer(target, [CAPTION_PROMPT] * n, pictures, max_new_tokens=LONGEST)
    return [
        {"scene": number, "said": words, "truth": caption(seen)}
        for number, seen, words in zip(numbers, scenes, said, strict=True)
    ]


def page(record: Mapping[str, Any]) -> Image.Image:
    """The page, drawn from a record alone."""
    captions = record["captions"]
    right = sum(one["said"] == one["truth"] for one in captions)
    return contact_sheet(
        [scene("check", one["scene"], record["seed"]) for one in captions],
        [_under(one) for one in captions],
        title=f"{record['target']} describes {len(captions)} random scenes: {right} without a mistake",
    )


def _under(one: Mapping[str, Any]) -> str:
    return one["said"] if one["said"] == one["truth"] else f"WRONG: {one['said']}\nTRUE: {one['truth']}"
