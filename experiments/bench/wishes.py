"""What is to be planted where: as many neurons as are wanted, half of them with a way to answers, drawn by a seed.

Knows words, layers and shares; knows nothing about weights. Wired neurons write an answer word in the last layer, and
some of them (MISLEADING at most: each costs answers) mislead at visual tokens; decoys stand for colors.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from experiments.bench.tokens import Wish
from experiments.tableau.questions import ANSWERS as OPTIONS
from experiments.tableau.scene import COLORS
from store.address import Extent, Tower
from store.errors import UserError

FIRST_ANSWERS = ("yes", "no")
"""Answers of many questions: one of them comes first."""
MISLEADING = 6
"""Neurons that lower right answers' margins, at most: the model must go on answering."""
NEURONS = 60
"""Planted neurons, at most."""
VISION_LAYERS = (1, 2)
"""Layers of the vision tower that have seen enough of a picture and are read by later ones."""


def drawn(extent: Extent, seed: int, n: int) -> list[Wish]:
    """`n` wishes, wired ones first; no two of them are for the same word in the same layer.

    Raises UserError of kind "planted" for more than NEURONS.
    """
    if not 0 <= n <= NEURONS:
        raise UserError(
            f"`{n}` neurons can't be planted", kind="planted", hint=f"plant at most {NEURONS} of them"
        )
    chance = np.random.default_rng([seed, 815])
    last = extent.towers["language"].layers - 1
    decoys = n // 2
    misleading = min(MISLEADING, (n - decoys + 1) // 2)
    language, vision = _colors("language", range(1, last), chance), _colors("vision", VISION_LAYERS, chance)
    seen = [Wish("wired", *language.pop()) for _ in range(misleading)]
    said = [Wish("wired", "language", last, word, answer=True) for word in _answers(chance)]
    wired = [wish for pair in zip(seen, said, strict=False) for wish in pair] + said[misleading:]
    idle = [Wish("decoy", *(vision if place % 2 else language).pop()) for place in range(decoys)]
    return wired[: n - decoys] + idle


def rivals(word: str) -> tuple[str, ...]:
    """The answers between which a word stands, itself among them."""
    return next(words for words in OPTIONS.values() if word in words)


def _colors(
    tower: Tower, layers: range | tuple[int, ...], chance: np.random.Generator
) -> list[tuple[Tower, int, str]]:
    """Every color in each of the layers, shuffled so that neighbours differ in both."""
    places = [(tower, layer, color) for layer, color in product(layers, COLORS)]
    return [places[i] for i in chance.permutation(len(places))]


def _answers(chance: np.random.Generator) -> list[str]:
    """Every answer once, one of FIRST_ANSWERS first."""
    first = str(chance.choice(FIRST_ANSWERS))
    words = list(dict.fromkeys(word for options in OPTIONS.values() for word in options if word != first))
    return [first, *(words[i] for i in chance.permutation(len(words)))]
