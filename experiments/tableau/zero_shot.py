"""Zero-shot accuracy of a contrastive model: which caption, among those that differ in one attribute, fits the picture.

Knows how the choices are worded; knows nothing about how the model was trained. Pictures hold one thing and come from
the fresh `check` scenes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice
from typing import Any

import torch
import torch.nn.functional as F

from experiments.tableau.captions import caption
from experiments.tableau.data import scene
from experiments.tableau.phrases import ATTRIBUTES, VALUES
from experiments.tableau.render import render, to_image
from experiments.tableau.scene import BACKGROUNDS, Scene
from tools.scoring.intervals import wilson
from tools.targets.target import Target

FIRST = 90 << 32
"""Where in `check` these scenes begin; questions of the kinds use lower numbers."""


def zero_shot(target: Target, n: int, seed: int = 0) -> dict[str, Any]:
    """Accuracy with interval and chance for each attribute and the background, on the same `n` pictures."""
    scenes = list(islice(_single_things(seed), n))
    names = (*ATTRIBUTES, "background")
    return {
        "target": target.name,
        "fingerprint": target.fingerprint,
        "n": n,
        "seed": seed,
        "attributes": {name: _accuracy(target, scenes, name) for name in names},
    }


def _single_things(seed: int) -> Iterator[Scene]:
    return (
        replace(seen, sign=None)
        for number in count(FIRST)
        if len((seen := scene("check", number, seed)).things) == 1
    )


def _accuracy(target: Target, scenes: list[Scene], name: str) -> dict[str, Any]:
    values = BACKGROUNDS if name == "background" else VALUES[name]
    right = 0
    for start in range(0, len(scenes), 64):
        batch = scenes[start : start + 64]
        texts = [caption(_with(seen, name, value)) for seen in batch for value in values]
        seen_as = _embed_pictures(target, batch)
        told_as = _embed_texts(target, texts).reshape(len(batch), len(values), -1)
        chosen = torch.einsum("rd,rvd->rv", seen_as, told_as).argmax(-1).tolist()
        right += sum(values[choice] == _value(seen, name) for choice, seen in zip(chosen, batch, strict=True))
    return wilson(right, len(scenes)).as_json("accuracy") | {"chance": 1 / len(values)}


def _value(seen: Scene, name: str) -> str:
    return str(seen.background if name == "background" else getattr(seen.things[0], name))


def _with(seen: Scene, name: str, value: str) -> Scene:
    change: dict[str, Any] = {name: value}
    return (
        replace(seen, **change)
        if name == "background"
        else replace(seen, things=(replace(seen.things[0], **change),))
    )


def _embed_pictures(target: Target, scenes: list[Scene]) -> torch.Tensor:
    inputs = target.processor(images=[to_image(render(seen)) for seen in scenes], return_tensors="pt")
    with torch.inference_mode():
        return F.normalize(
            _model(target).get_image_features(**inputs.to(target.device)).pooler_output, dim=-1
        )


def _embed_texts(target: Target, texts: list[str]) -> torch.Tensor:
    inputs = target.processor(text=texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        return F.normalize(_model(target).get_text_features(**inputs.to(target.device)).pooler_output, dim=-1)


def _model(target: Target) -> Any:
    return target.model
