"""Training `tableau-judge`: whole pictures and crops of them, labeled cell by cell from the scene graph.

Its scenes come from their own stream, so that it shares none with the models that it will judge. As an instrument it
knows all three render styles, and pictures that are a little blurred or noisy, as edited ones are.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int, Int64
from torch import Tensor, nn

from experiments.tableau.asker import Asker
from experiments.tableau.concepts import WORDS
from experiments.tableau.judge import STRIDE, Judge, Maps, Reading
from experiments.tableau.phrases import ATTRIBUTES, Phrase
from experiments.tableau.render import Masks, masks, sign_mask
from experiments.tableau.sampler import Distribution
from experiments.tableau.scene import SIDE, STYLES, Scene, Thing
from experiments.tableau.train.batches import pixels, scenes_of
from experiments.tableau.train.dense import NONE
from experiments.tableau.train.loop import Outcome, Stage

STREAM = 7
"""The judge's own world: other scenes than any other model's."""
MIX: dict[Distribution, float] = {"balanced": 0.5, "regular": 0.25, "crowded": 0.25}
CROP_SHARE = 0.4
"""Share of the steps that show crops."""
SMALLEST_CROP, CROPS_EACH = 16, 4
"""Least width and height of a crop in pixels, and most crops cut from one scene."""
SHOWN, FILLED = 0.5, 0.25
"""A crop shows a thing when it holds this share of the thing, or when the thing fills this share of the crop."""
BARE = 0.05
"""Least share of a crop that must show the background for the background to be asked for."""
CENTER, AROUND = 0.75, 1.75
"""Cells from a center within which a cell is one, and beyond which it is none; between, nothing is asked."""
BLUR, NOISE, GAIN = 0.5, 0.08, 0.08
"""Strongest disturbance: share of a 3×3 mean, standard deviation (pixels are in [−1, 1]), change of brightness."""
NEAR = 8.0
"""Pixels within which a found center counts as a thing's."""
CROP_SIDE, EXAMINED = 48, 64
"""Width and height of the crops that `examine` judges, and pictures that it judges at once."""


class Box(NamedTuple):
    """The part of a picture that a crop shows, in pixels."""

    top: int
    left: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


WHOLE = Box(0, 0, SIDE, SIDE)


class Labels(NamedTuple):
    """What a judge should see in one picture: 1 at a center, words as indices into WORDS, NONE where not asked."""

    cells: Int64[np.ndarray, "readout row column"]
    background: int


class JudgeBatch(NamedTuple):
    """Pixels in [−1, 1] and labels; the readouts are `thing` and then ATTRIBUTES."""

    pixels: Float[Tensor, "row 3 height width"]
    cells: Int[Tensor, "row readout cell_row cell_column"]
    backgrounds: Int[Tensor, "row"]


class JudgeTrainee(nn.Module):
    """The judge under a name of its own in the checkpoint."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.judge = Judge()

    def step(self, batch: JudgeBatch) -> Outcome:
        """Cross-entropies: of centers per true center, of words per labeled cell, of backgrounds per picture."""
        maps = Maps(*(part.float() for part in self.judge(batch.pixels)))
        truth, known = batch.cells[:, 0].clamp(min=0).float(), batch.cells[:, 0] != NONE
        misses = F.binary_cross_entropy_with_logits(maps.thing[known], truth[known], reduction="sum")
        total = misses / truth[known].sum().clamp(min=len(truth))
        figures = {"center loss": float(misses.detach() / known.sum())}
        for index, name in enumerate(ATTRIBUTES, start=1):
            loss, figures[name] = _words(getattr(maps, name), batch.cells[:, index])
            total = total + loss
        loss, figures["background"] = _words(maps.background, batch.backgrounds)
        return Outcome(total + loss, figures)


def _words(
    logits: Float[Tensor, "row word *cells"], target: Int[Tensor, "row *cells"]
) -> tuple[Tensor, float]:
    """Mean cross-entropy where a label is known (0 when none is), and the share that is right."""
    known = (target != NONE).sum().clamp(min=1)
    loss = F.cross_entropy(logits, target, ignore_index=NONE, reduction="sum") / known
    return loss, float((logits.argmax(1) == target).sum() / known)


def shown(drawn: Masks, box: Box) -> Bool[np.ndarray, "thing"]:
    """Which things the crop shows, given the pixels that each draws on."""
    inside = drawn[:, *box.slices].sum(axis=(1, 2))
    everything = np.maximum(drawn.sum(axis=(1, 2)), 1)
    return (inside >= SHOWN * everything) | (inside >= FILLED * box.height * box.width)


def centers(drawn: Masks, box: Box) -> Float[np.ndarray, "thing 2"]:
    """Means of the pixels (y, x) that each thing draws on in the crop; a thing with none there is at the origin."""
    seen = drawn[:, *box.slices].astype(np.float64)
    amount = np.maximum(seen.sum(axis=(1, 2)), 1)
    y, x = np.arange(box.height) + 0.5, np.arange(box.width) + 0.5
    return np.stack([seen.sum(axis=2) @ y, seen.sum(axis=1) @ x], axis=1) / amount[:, None]


def label(scene: Scene, drawn: Masks, box: Box = WHOLE) -> Labels:
    """The labels of a crop. The size of a shrunken thing is not asked for: it lies between small and large."""
    rows, columns = -(-box.height // STRIDE), -(-box.width // STRIDE)
    cells = np.full((1 + len(ATTRIBUTES), rows, columns), NONE, dtype=np.int64)
    cells[0] = 0
    middles = (np.indices((rows, columns)).transpose(1, 2, 0) + 0.5) * STRIDE
    places, seen = centers(drawn, box), shown(drawn, box)
    for index in np.flatnonzero(seen):
        thing = scene.things[index]
        away = np.hypot(*(middles - places[index]).transpose(2, 0, 1)) / STRIDE
        own = (away <= AROUND) | (_shares(drawn[index][box.slices], rows, columns) > 0.5)
        for readout, name in enumerate(ATTRIBUTES, start=1):
            if name != "size" or thing.shrink == 1:
                cells[readout][own] = WORDS[name].index(getattr(thing, name))
        cells[0][(away <= AROUND) & (cells[0] == 0)] = NONE
        cells[0][away <= CENTER] = 1
    hidden = (drawn.any(axis=0) | sign_mask(scene))[box.slices]
    bare = 1 - hidden.mean() >= BARE
    return Labels(cells, WORDS["background"].index(scene.background) if bare else NONE)


def _shares(
    mask: Bool[np.ndarray, "height width"], rows: int, columns: int
) -> Float[np.ndarray, "row column"]:
    """Share of every cell that the mask covers."""
    padding = ((0, rows * STRIDE - mask.shape[0]), (0, columns * STRIDE - mask.shape[1]))
    return np.pad(mask, padding).reshape(rows, STRIDE, columns, STRIDE).mean(axis=(1, 3))


def judge_batch(
    scenes: list[Scene], rng: np.random.Generator, size: tuple[int, int] = (SIDE, SIDE)
) -> JudgeBatch:
    """Disturbed crops of one size (height, width), more of each scene when they are small, with their labels."""
    pictures, height, width = pixels(scenes), *size
    each = min(CROPS_EACH, SIDE * SIDE // (height * width))
    parts: list[Tensor] = []
    labels: list[Labels] = []
    for scene, picture in zip(scenes, pictures, strict=True):
        drawn = masks(scene)
        for _ in range(each):
            box = crop(scene, rng, height, width)
            parts.append(picture[:, *box.slices])
            labels.append(label(scene, drawn, box))
    cells = torch.from_numpy(np.stack([one.cells for one in labels]))
    return JudgeBatch(
        _disturbed(torch.stack(parts), rng), cells, torch.tensor([one.background for one in labels])
    )


def crop(scene: Scene, rng: np.random.Generator, height: int, width: int) -> Box:
    """A crop anywhere, or one that has a point of a thing's surroundings in its middle."""
    top, left = (int(rng.integers(SIDE - side + 1)) for side in (height, width))
    if scene.things and rng.random() < 0.5:
        thing: Thing = scene.things[rng.integers(len(scene.things))]
        top = round(thing.y + rng.normal(0, 8) - height / 2)
        left = round(thing.x + rng.normal(0, 8) - width / 2)
    return Box(min(max(top, 0), SIDE - height), min(max(left, 0), SIDE - width), height, width)


def _disturbed(
    pictures: Float[Tensor, "row 3 height width"], rng: np.random.Generator
) -> Float[Tensor, "row 3 height width"]:
    """Half of the pictures, each with its own blur, noise and brightness."""
    touched = rng.random((len(pictures), 1, 1, 1)) < 0.5
    blur, noise, gain = (
        torch.from_numpy((touched * rng.uniform(low, high, touched.shape)).astype(np.float32))
        for low, high in ((0, BLUR), (0, NOISE), (-GAIN, GAIN))
    )
    soft = torch.lerp(pictures, F.avg_pool2d(pictures, 3, 1, 1, count_include_pad=False), blur)
    grain = torch.from_numpy(rng.standard_normal(tuple(pictures.shape), dtype=np.float32))
    return ((soft + 1) * (1 + gain) - 1 + noise * grain).clamp(-1, 1)


def batch_of(step: int, *, stage: int, rows: int) -> JudgeBatch:
    rng = np.random.default_rng([stage, step, STREAM, 1])
    size = (SIDE, SIDE)
    if rng.random() < CROP_SHARE:
        height, width = rng.integers(SMALLEST_CROP, SIDE + 1, size=2).tolist()
        size = (height, width)
    return judge_batch(styled(scenes_of(stage, step, rows, MIX, STREAM), rng), rng, size)


def styled(scenes: list[Scene], rng: np.random.Generator) -> list[Scene]:
    """The scenes, each in any of the styles, the one that is held out of the others' training included."""
    return [replace(scene, style=STYLES[rng.integers(len(STYLES))]) for scene in scenes]


def stages(trainee: JudgeTrainee, scale: float) -> list[Stage]:
    """The recipe; `scale` shortens it for trials."""
    return [
        Stage(
            "judge",
            math.ceil(3000 * scale),
            {"judge": 2e-3},
            partial(batch_of, stage=6, rows=32),
            trainee.step,
        )
    ]


def evaluate(trainee: JudgeTrainee, scenes: int = 192) -> dict[str, float]:
    """Shares of what `examine` finds right."""
    return {name: float(np.mean(right)) for name, right in examine(trainee.judge, scenes).items()}


def examine(judge: Judge, scenes: int, distribution: Distribution = "balanced") -> dict[str, list[bool]]:
    """What was right, one by one, on fresh scenes in all styles.

    `recall` has an entry for every thing, `precision` one for every center found, the attributes one for every thing
    found; `phrases` and `crops` have one for every yes/no phrase, as many true as false, most of the false ones true
    but for one attribute.
    """
    right: defaultdict[str, list[bool]] = defaultdict(list)
    for step in range(math.ceil(scenes / EXAMINED)):
        rng = np.random.default_rng([92, step, STREAM, 1])
        number = min(EXAMINED, scenes - step * EXAMINED)
        batch = styled(scenes_of(92, step, EXAMINED, {distribution: 1.0}, STREAM)[:number], rng)
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
