"""How often the judge is right: against the scene graph, on whole pictures and on crops, in all render styles."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from experiments.tableau.asker import Asker
from experiments.tableau.concepts import WORDS
from experiments.tableau.judge import Judge, Reading
from experiments.tableau.phrases import ATTRIBUTES, Phrase
from experiments.tableau.render import masks
from experiments.tableau.sampler import Distribution
from experiments.tableau.scene import Scene
from experiments.tableau.train.batches import pixels, scenes_of
from experiments.tableau.train.crops import WHOLE, centers, crop, shown, styled
from tools.scoring.intervals import wilson

STREAM = 7
"""The judge's own world: other scenes than any other model's."""
EXAMINATION = 92
"""The stage number of these scenes; no stage of the training has it."""
NEAR = 8.0
"""Pixels within which a found center counts as a thing's."""
CROP_SIDE, EXAMINED = 48, 64
"""Width and height of the crops that `examine` judges, and pictures that it judges at once."""


def check_judge(judge: Judge, scenes: int, fingerprint: str) -> dict[str, Any]:
    """Shares of right judgements with intervals, on balanced scenes and on pairs that no training showed."""
    found: dict[str, Any] = {"target": "tableau-judge", "fingerprint": fingerprint, "scenes": scenes}
    distributions: tuple[Distribution, ...] = ("balanced", "heldout")
    for distribution in distributions:
        right = examine(judge, scenes, distribution)
        found[distribution] = {
            name: wilson(sum(answers), len(answers)).as_json("accuracy")
            for name, answers in right.items()
            if answers
        }
    return found


def examine(judge: Judge, scenes: int, distribution: Distribution = "balanced") -> dict[str, list[bool]]:
    """What was right, one by one, on fresh scenes in all styles.

    `recall` has an entry for every thing, `precision` one for every center found, the attributes one for every thing
    found; `phrases` and `crops` have one for every yes/no phrase, as many true as false, most of the false ones true
    but for one attribute.
    """
    right: defaultdict[str, list[bool]] = defaultdict(list)
    for step in range(math.ceil(scenes / EXAMINED)):
        rng = np.random.default_rng([EXAMINATION, step, STREAM, 1])
        number = min(EXAMINED, scenes - step * EXAMINED)
        batch = styled(scenes_of(EXAMINATION, step, EXAMINED, {distribution: 1.0}, STREAM)[:number], rng)
        drawn, pictures = [masks(scene) for scene in batch], pixels(batch)
        reading = _seen(judge, pictures)
        for row, (scene, areas) in enumerate(zip(batch, drawn, strict=True)):
            _compare(right, Reading(*(part[row] for part in reading)), scene, centers(areas, WHOLE))
        right["phrases"] += _polled(judge, reading, batch, rng)
        boxes = [crop(scene, rng, CROP_SIDE, CROP_SIDE) for scene in batch]
        cut = torch.stack([picture[:, *box.slices] for picture, box in zip(pictures, boxes, strict=True)])
        parts = [
            _within(scene, shown(areas, box)) for scene, areas, box in zip(batch, drawn, boxes, strict=True)
        ]
        right["crops"] += _polled(judge, _seen(judge, cut), parts, rng)
    return right


def _seen(judge: Judge, pictures: Float[Tensor, "row 3 height width"]) -> Reading:
    """The reading on the CPU, wherever the judge is."""
    return Reading(*(part.cpu() for part in judge.read(pictures.to(judge.background.weight.device))))


def _compare(
    right: dict[str, list[bool]], reading: Reading, scene: Scene, places: Float[np.ndarray, "thing 2"]
) -> None:
    """Adds what one picture's reading gets right of the scene graph."""
    number = int((reading.thing > 0.5).sum())
    y, x = reading.y[:number].numpy(), reading.x[:number].numpy()
    taken: set[int] = set()
    for thing, place in zip(scene.things, places, strict=True):
        away = np.hypot(y - place[0], x - place[1])
        found = number > 0 and bool(away.min() <= NEAR)
        right["recall"].append(found)
        if found:
            peak = int(away.argmin())
            taken.add(peak)
            for name in ATTRIBUTES:
                guess = WORDS[name][int(getattr(reading, name)[peak].argmax())]
                right[name].append(guess == getattr(thing, name))
    right["precision"] += [peak in taken for peak in range(number)]
    right["background"].append(WORDS["background"][int(reading.background.argmax())] == scene.background)


def _polled(judge: Judge, reading: Reading, scenes: list[Scene], rng: np.random.Generator) -> list[bool]:
    """Whether the judge agrees with the scene graph on a true and a false phrase for every scene that has things."""
    asked: list[tuple[int, Phrase, bool]] = []
    for row, scene in enumerate(scenes):
        asker = Asker(scene, rng)
        questions = [(asker.draw("polling", want), want == "yes") for want in ("yes", "no")]
        if all(question for question, _ in questions):
            asked += [(row, question.phrase, truth) for question, truth in questions if question]
    said = judge.presence(reading, [phrase for _, phrase, _ in asked])
    return [bool(said[row, column] > 0.5) == truth for column, (row, _, truth) in enumerate(asked)]


def _within(scene: Scene, chosen: Bool[np.ndarray, "thing"]) -> Scene:
    """The scene with the chosen things alone."""
    return replace(scene, things=tuple(scene.things[index] for index in np.flatnonzero(chosen)))
