"""Pictures in words, as `tableau-judge` reads them: what each found thing looks like, and the background.

Fulfils `tools.stimuli.Describer`. Knows which phrases follow from a reading; errs where the judge errs, and never sees
a scene graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from PIL import Image

from experiments.tableau.concepts import WORDS
from experiments.tableau.judge import Judge, Reading
from experiments.tableau.phrases import ATTRIBUTES, Phrase
from experiments.tableau.scene import quarter_at

SURE = 0.5
"""Probability from which on a thing is there, and a word fits it."""
MOST_WORDS = 2
"""Words of a phrase, at most: three at once are hardly ever what a unit stands for, and make lists long."""


class JudgeDescriber:
    """Puts pictures and crops into phrases of up to two words a thing."""

    name = "tableau-judge"

    def __init__(self, judge: Judge) -> None:
        self.judge = judge

    def describe(self, images: Sequence[Image.Image], /) -> list[tuple[str, ...]]:
        """The phrases that hold in each picture or crop: background, single words, then pairs ("red star").

        Raises UserError for a picture with a side below 16 pixels.
        """
        if not images:
            return []
        seen = Reading(*(part.cpu() for part in self.judge.seen(images)))
        return [_told(seen, row) for row in range(len(images))]

    def placed(self, images: Sequence[Image.Image], /) -> list[tuple[str, ...]]:
        """In which quarter of each whole picture something lies: "thing in the upper left", "red thing in the …"."""
        if not images:
            return []
        seen = Reading(*(part.cpu() for part in self.judge.seen(images)))
        return [_lying(seen, row) for row in range(len(images))]

    def vocabulary(self) -> tuple[str, ...]:
        """Every phrase of one word: "small thing" … "ring", "wavy background"."""
        single = [str(_phrase({name: word})) for name in ATTRIBUTES for word in WORDS[name]]
        return (*single, *(f"{word} background" for word in WORDS["background"]))


def _told(seen: Reading, row: int) -> tuple[str, ...]:
    found = [_looks(seen, row, peak) for peak in _there(seen, row)]
    ground, word = seen.background[row].max(dim=0)
    grounds = [f"{WORDS['background'][int(word)]} background"] if float(ground) > SURE else []
    phrases = [
        str(_phrase({name: looks[name] for name in chosen}))
        for length in range(1, MOST_WORDS + 1)
        for looks in found
        for chosen in combinations(looks, length)
    ]
    return tuple(dict.fromkeys(grounds + phrases))


def _lying(seen: Reading, row: int) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for peak in _there(seen, row):
        where = quarter_at(float(seen.x[row, peak]), float(seen.y[row, peak]))
        words = [str(_phrase({name: word})) for name, word in _looks(seen, row, peak).items()]
        found |= dict.fromkeys(f"{word} in the {where}" for word in (str(_phrase({})), *words))
    return tuple(found)


def _there(seen: Reading, row: int) -> list[int]:
    """Peaks at which there surely is a thing."""
    return [peak for peak, sure in enumerate(seen.thing[row].tolist()) if sure > SURE]


def _looks(seen: Reading, row: int, peak: int) -> dict[str, str]:
    """The words that surely fit the thing at a peak, by attribute."""
    likeliest = {name: getattr(seen, name)[row, peak].max(dim=0) for name in ATTRIBUTES}
    return {name: WORDS[name][int(word)] for name, (sure, word) in likeliest.items() if float(sure) > SURE}


def _phrase(looks: dict[str, str]) -> Phrase:
    return Phrase(**looks)  # type: ignore[arg-type]
