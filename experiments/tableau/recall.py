"""From a stimulus's key back to the scene behind it: what the exact editor and the scorer's judge share.

Knows that a key tells all (keys.py) and replays it. Planners never come here: a scene graph knows the truth.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from experiments.tableau.combined import altered_combination, heard
from experiments.tableau.instructions import follow
from experiments.tableau.keys import MADE, Key, Step, read_key
from experiments.tableau.pairing import Altered
from experiments.tableau.prompt import painted_wish, read_prompt
from experiments.tableau.scene import Scene
from experiments.tableau.source import scene_at
from store.errors import UserError

KEPT = 4096
"""Edits that are kept once they are made."""


class Recalled(NamedTuple):
    """A key as it was read, and its scene."""

    key: Key
    scene: Scene


def recall(text: str) -> Recalled:
    """The scene behind a stimulus's key. Raises UserError of kind "stimulus" when it is no painted picture's."""
    key = read_key(text)
    seen = _scene(key.bare) if key is not None else None
    if key is None or seen is None:
        raise UserError(
            f"`{text}` is not the key of a painted picture",
            kind="stimulus",
            hint="give a stimulus of this world, such as `train/17`",
        )
    return Recalled(key, seen)


@lru_cache(maxsize=KEPT)
def take(key: Key, step: Step) -> Altered | None:
    """What a step makes of the scene behind a bare key; None where that does not allow it. UserError as its verb's."""
    chance = key.then(step).chance()
    if step.verb == "paint":
        return Altered(painted_wish(read_prompt(step.words), chance), f"painted {step.words}")
    seen = _scene(key)
    assert seen is not None  # keys are read by `recall`, which has looked
    if step.verb == "redrawn":
        return Altered(seen, f"redrawn by {step.words}")
    if step.verb == "edit":
        return follow(seen, step.words, chance)
    return altered_combination(seen, heard(step.words), step.verb, chance)


def _scene(key: Key) -> Scene | None:
    if not key.steps:
        return Scene("dark") if key.base == MADE else scene_at(key.base)
    before = key._replace(steps=key.steps[:-1])
    if _scene(before) is None:
        return None
    made = take(before, key.steps[-1])
    return made.scene if made is not None else None
