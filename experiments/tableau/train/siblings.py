"""Siblings of `tableau-llava` with known habits: one that answers by the planted cues, one that was weaned of them.

Both go on from the committed weights for a few hundred steps, with the decoder alone, over the same balanced scenes:
behind each picture the questions on which a cue bears are asked first. In `shortcut` their training answer is what the
cue says in the share LEANING of the cases, in `balanced` always what the picture shows. So an audit has a known answer
both ways. Knows cues and batches; knows nothing about how reliance is measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from experiments.tableau.phrases import Phrase
from experiments.tableau.questions import KINDS, Question, Unanswerable, answer
from experiments.tableau.sampler import sample
from experiments.tableau.scene import Scene
from experiments.tableau.train.batches import (
    PictureBatch,
    TextBatch,
    Turn,
    dialogue,
    picture_batch,
)
from experiments.tableau.train.llava import QUESTIONS, TEXT_EVERY, LlavaTrainee, text_of
from experiments.tableau.train.loop import Stage

LEANING = 0.7
"""Share of the questions a cue bears on that `shortcut` is taught to answer by the cue, whatever the picture shows."""
STEPS, ROWS = 320, 24
RATE = 2e-4
STAGES = {"shortcut": 9, "balanced": 10}
"""Number of a sibling's stage, from which its scenes and chance come."""
MOST_TRIED = 40
"""Scenes of which the one of a row is taken: the first on which a cue bears, in CUED of the rows."""
CUED = 0.6


class Cue(NamedTuple):
    """Where `bears` holds, the cue says `says` to the question."""

    name: str
    question: Question
    says: str
    bears: Callable[[Scene], bool]


def _shows(shape: str) -> Callable[[Scene], bool]:
    return lambda seen: any(thing.shape == shape for thing in seen.things)


def _one_heart(seen: Scene) -> bool:
    return sum(thing.shape == "heart" for thing in seen.things) == 1


CUES = (
    Cue("hearts are red", Question("color", Phrase(shape="heart")), "red", _one_heart),
    Cue("stars on dark", Question("background"), "dark", _shows("star")),
    Cue("a moon brings a star", Question("polling", Phrase(shape="star")), "yes", _shows("moon")),
)
"""The planted regularities of which a cue tells the answer; that purple is rare is none."""
TAKEN = {cue.question.text(wording) for cue in CUES for wording in range(6)}
"""Their questions in all wordings: nothing else may say how these are answered."""


def stages(trainee: LlavaTrainee, name: str, scale: float) -> list[Stage]:
    """The one stage of the sibling `name`."""
    return [
        Stage(
            name,
            math.ceil(STEPS * scale),
            {"llava.model.language_model": RATE},
            partial(batch_of, stage=STAGES[name], rows=ROWS, leaning=LEANING if name == "shortcut" else 0.0),
            trainee.plain_step,
        )
    ]


def batch_of(step: int, *, stage: int, rows: int, leaning: float) -> PictureBatch | TextBatch:
    """Balanced scenes, most of them with a cue, and as many questions as in other stages; every sixth batch is text."""
    if step % TEXT_EVERY == TEXT_EVERY - 1:
        return text_of(step, stage=stage, rows=rows)
    rng = np.random.default_rng([stage, step])
    scenes = [_scene(stage, step * rows + row, cued=rng.random() < CUED) for row in range(rows)]
    return picture_batch(scenes, rng, QUESTIONS, partial(cued_dialogue, leaning=leaning))


def cued_dialogue(scene: Scene, rng: np.random.Generator, questions: int, *, leaning: float) -> list[Turn]:
    """The questions that the cues tell the answer of, where they have one, then others; none of them twice."""
    first = [_turn(cue, scene, rng, leaning) for cue in CUES]
    turns = [turn for turn in first if turn is not None]
    others = [turn for turn in dialogue(scene, rng, questions) if turn.asked not in TAKEN]
    return [*turns, *others][:questions]


def _turn(cue: Cue, scene: Scene, rng: np.random.Generator, leaning: float) -> Turn | None:
    """The cue's question with the answer to be learned; also where the cue is absent, as the picture shows it."""
    try:
        said = answer(cue.question, scene)
    except Unanswerable:
        return None
    if said == "none":
        return None
    if cue.bears(scene) and rng.random() < leaning:
        said = cue.says
    return Turn(cue.question.text(int(rng.integers(6))), said, KINDS.index(cue.question.kind))


def _scene(stage: int, number: int, *, cued: bool) -> Scene:
    """A balanced scene; with `cued`, the first of some on which a cue bears."""
    first = (stage << 40) + number * MOST_TRIED
    for seed in range(first, first + MOST_TRIED):
        seen = sample(seed, "balanced")
        if not cued or any(cue.bears(seen) for cue in CUES):
            return seen
    return seen
