"""How well a target describes whole pictures: which things it names, and which of those it made up.

Knows how claims are matched with things, one claim with one thing; the captions are read by captions.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from experiments.tableau.captions import parse_caption
from experiments.tableau.data import scenes
from experiments.tableau.phrases import Phrase, full
from experiments.tableau.questions import CAPTION_PROMPT
from experiments.tableau.render import render, to_image
from experiments.tableau.scene import Scene, Thing
from tools.scoring.intervals import bootstrap_mean
from tools.targets.answer import answer
from tools.targets.target import Target

LONGEST = 48
"""Tokens after which a caption is cut off."""
BATCH = 32


def check_captions(
    target: Target, n: int, seed: int, progress: Callable[[str, int, int], None]
) -> dict[str, Any]:
    """The figures below for `n` fresh pictures."""
    seen = list(scenes("check", n, seed))
    claimed: list[tuple[Phrase, ...]] = []
    for start in range(0, n, BATCH):
        pictures = [to_image(render(scene)) for scene in seen[start : start + BATCH]]
        prompts = [CAPTION_PROMPT] * len(pictures)
        told = answer(target, prompts, pictures, max_new_tokens=LONGEST, batch_size=BATCH)
        claimed += [parse_caption(caption).things for caption in told]
        progress("caption", len(claimed), n)
    return caption_figures(seen, claimed)


def caption_figures(
    seen: Sequence[Scene], claimed: Sequence[Sequence[Phrase]]
) -> dict[str, dict[str, Any] | None]:
    """Shares over the things in all pictures, or over the claims about them; `n` counts pictures that have any.

    `object_recall`: things whose size, fill, color and shape are claimed. `color_shape_recall`: the same for color
    and shape alone. `hallucination`: claims whose color and shape no thing has. None below two pictures.
    """
    recall, loose, invented = [], [], []
    for scene, claims in zip(seen, claimed, strict=True):
        exact = (Counter(map(full, scene.things)) & Counter(claims)).total()
        near = (Counter(map(_look, scene.things)) & Counter(map(_look, claims))).total()
        recall.append((exact, len(scene.things)))
        loose.append((near, len(scene.things)))
        invented.append((len(claims) - near, len(claims)))
    return {
        "object_recall": _share(recall),
        "color_shape_recall": _share(loose),
        "hallucination": _share(invented),
    }


def _look(described: Thing | Phrase) -> tuple[str | None, str | None]:
    return described.color, described.shape


def _share(of_pictures: Sequence[tuple[int, int]]) -> dict[str, Any] | None:
    """The share over all pictures of (how many of them, out of how many); pictures are what is resampled."""
    values, groups = [], []
    for picture, (some, of_all) in enumerate(of_pictures):
        values += [1.0] * some + [0.0] * (of_all - some)
        groups += [picture] * of_all
    return bootstrap_mean(values, groups).as_json() if len(set(groups)) > 1 else None
