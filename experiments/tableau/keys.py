"""Keys of painted stimuli: one string that says how the scene is come by, so that nobody has to keep it.

`train/17` is a scene of a split, `train/color-64-3/5` the fifth of 64 scenes for color questions drawn with seed 3, and
`made` the empty canvas; each edit follows after `|`, as in `train/17|remove red star #2`. A `?` behind the first part
says that the stimulus carries the picture's own question, and words behind that which other question it carries; the
scene knows nothing of either. `redrawn` says that a model drew the picture of the same scene. Knows strings alone.
"""

from __future__ import annotations

import hashlib
import re
from typing import Literal, NamedTuple, get_args

import numpy as np

Verb = Literal["add", "remove", "swap", "edit", "paint", "redrawn"]
MADE = "made"
"""Where stimuli begin that descend from no picture."""
_STEP = re.compile(rf"(?P<verb>{'|'.join(get_args(Verb))}) (?P<words>[^|?#]*) #(?P<seed>\d+)")


class Step(NamedTuple):
    """One edit: what was asked for, in plain words, and with which seed."""

    verb: Verb
    words: str
    seed: int

    def __str__(self) -> str:
        return f"{self.verb} {self.words} #{self.seed}"


class Key(NamedTuple):
    """Where a stimulus begins, the edits that it went through, and what it says of a question: "", "?" or "?words"."""

    base: str
    steps: tuple[Step, ...] = ()
    tail: str = ""

    def __str__(self) -> str:
        return "|".join([self.base + self.tail, *map(str, self.steps)])

    @property
    def bare(self) -> Key:
        """The key of the picture without a question."""
        return self._replace(tail="")

    def then(self, step: Step) -> Key:
        return self._replace(steps=(*self.steps, step))

    def asked(self, question: str = "") -> Key:
        """The key of this picture with a question: its own, or another one in words."""
        return self._replace(tail="?" + plain_words(question))

    def chance(self) -> np.random.Generator:
        """Chance that is the same whenever the picture is."""
        return np.random.default_rng(int.from_bytes(hashlib.sha256(str(self.bare).encode()).digest()[:16]))


def read_key(text: str) -> Key | None:
    """The key that `text` writes, or None when no painted stimulus has it."""
    first, *rest = text.split("|")
    base, mark, words = first.partition("?")
    steps = tuple(_step(found) if (found := _STEP.fullmatch(part)) else None for part in rest)
    known = tuple(step for step in steps if step is not None)
    return Key(base, known, mark + words) if len(known) == len(steps) else None


def _step(found: re.Match[str]) -> Step:
    verb: Verb = found["verb"]  # type: ignore[assignment]  # the pattern allows no other word
    return Step(verb, found["words"], int(found["seed"]))


def plain_words(text: str) -> str:
    """What a key keeps of a concept, an instruction or a prompt: lower case, words and commas, one space between."""
    return " ".join(re.findall(r"\w+|,", text.lower()))
