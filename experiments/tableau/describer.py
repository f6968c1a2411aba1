"""Pictures in words, as `tableau-judge` reads them: what each found thing looks like, and the background.

Fulfils `tools.stimuli.Describer`. Knows which phrases follow from a reading; errs where the judge errs, and never sees
a scene graph.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from PIL import Image

from experiments.tableau.concepts import WORDS
from experiments.tableau.judge import AT_ONCE, SMALLEST, Judge, Reading, picture_pixels
from experiments.tableau.phrases import ATTRIBUTES, Phrase
from store.errors import UserError

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
        told: dict[int, tuple[str, ...]] = {}
        for chosen in _batches(images):
            pixels = picture_pixels([images[index] for index in chosen])
            reading = self.judge.read(pixels.to(self.judge.background.weight.device))
            seen = Reading(*(part.cpu() for part in reading))
            told |= {index: _told(seen, row) for row, index in enumerate(chosen)}
        return [told[index] for index in range(len(images))]

    def vocabulary(self) -> tuple[str, ...]:
        """Every phrase of one word: "small thing" … "ring", "wavy background"."""
        single = [str(_phrase({name: word})) for name in ATTRIBUTES for word in WORDS[name]]
        return (*single, *(f"{word} background" for word in WORDS["background"]))


def _batches(images: Sequence[Image.Image]) -> Iterator[list[int]]:
    """Indices of pictures of one size, few enough for one forward pass."""
    by_size: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for index, image in enumerate(images):
        by_size[image.size].append(index)
    for (width, height), members in by_size.items():
        if min(width, height) < SMALLEST:
            raise UserError(
                f"a picture of `{width}×{height}` pixels is too small to describe",
                kind="image",
                hint=f"give crops of at least {SMALLEST}×{SMALLEST} pixels",
            )
        size = max(1, AT_ONCE // (width * height))
        yield from (members[start : start + size] for start in range(0, len(members), size))


def _told(seen: Reading, row: int) -> tuple[str, ...]:
    found = [_looks(seen, row, peak) for peak, sure in enumerate(seen.thing[row].tolist()) if sure > SURE]
    ground, word = seen.background[row].max(dim=0)
    grounds = [f"{WORDS['background'][int(word)]} background"] if float(ground) > SURE else []
    phrases = [
        str(_phrase({name: looks[name] for name in chosen}))
        for length in range(1, MOST_WORDS + 1)
        for looks in found
        for chosen in combinations(looks, length)
    ]
    return tuple(dict.fromkeys(grounds + phrases))


def _looks(seen: Reading, row: int, peak: int) -> dict[str, str]:
    """The words that surely fit the thing at a peak, by attribute."""
    likeliest = {name: getattr(seen, name)[row, peak].max(dim=0) for name in ATTRIBUTES}
    return {name: WORDS[name][int(word)] for name, (sure, word) in likeliest.items() if float(sure) > SURE}


def _phrase(looks: dict[str, str]) -> Phrase:
    return Phrase(**looks)  # type: ignore[arg-type]
