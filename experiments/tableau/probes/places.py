"""Questions about one thing with the pixels that it covers: where a well-grounded answer must come from."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import numpy as np

from experiments.audit.maps import Placed
from experiments.tableau.data import Split
from experiments.tableau.phrases import Phrase
from experiments.tableau.probes.scenes import drawn, shapes_in, stimulus
from experiments.tableau.questions import Kind, Question, answer
from experiments.tableau.render import masks
from experiments.tableau.sampler import HELD_OUT
from experiments.tableau.scene import Scene

KINDS: tuple[Kind, ...] = ("color", "fill", "size")


def among_others(n: int, seed: int) -> list[Placed]:
    """Questions about one of several things: another could give the answer instead."""
    return _asked("check", 70, n, seed, lambda one: len(one.things) == len(shapes_in(one)) > 1)


def alone(n: int, seed: int) -> list[Placed]:
    """Questions about the only thing: nothing else can give the answer."""
    return _asked("check", 71, n, seed, lambda one: len(one.things) == 1)


def unfamiliar(n: int, seed: int) -> list[Placed]:
    """The same as `among_others` about things of a color and shape that no training showed together."""
    return _asked("heldout", 72, n, seed, lambda one: len(one.things) == len(shapes_in(one)) > 1)


def _asked(split: Split, survey: int, n: int, seed: int, wanted: Callable[[Scene], bool]) -> list[Placed]:
    found = []
    for number, seen in enumerate(islice(drawn(split, survey, seed, wanted), n)):
        new = [i for i, thing in enumerate(seen.things) if (thing.color, thing.shape) in HELD_OUT]
        index = new[0] if new else number % len(seen.things)
        kind: Kind = "color" if split == "heldout" else KINDS[number % len(KINDS)]
        question = Question(kind, Phrase(shape=seen.things[index].shape))
        mask = np.asarray(masks(seen)[index], dtype=bool)
        found.append(Placed(stimulus(seen, question.text(), answer(question, seen)), mask))
    return found
