"""A picture model that never makes the same picture twice: what it made is kept on disk and called back by its key.

Knows which results may be kept and how few are asked for; where they lie is shelf.py's. A key is the hash of everything
that a result depends on (pixels, words, seed, region, settings, fingerprint), so that a resumed run finds what it had.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image

from tools.editing.backend import Failed, Outcome, PictureModel, Region, Settings, Words, same_length
from tools.editing.faults import taken_in
from tools.editing.shelf import Shelf, Wanted, as_picture

BLOCKS = 8
"""Blocks of the model that are made before they are kept: what an interruption may lose."""


@dataclass(frozen=True, eq=False)
class _Asked:
    """One item of a call; no picture when one is to be drawn."""

    words: str
    seed: int
    picture: Image.Image | None = None
    region: Region | None = None


class Kept:
    """`model` with its results kept in `folder`. Fulfils `tools.editing.backend.PictureModel` itself.

    Failures that another time may cure are not kept. What is called back costs nothing again.
    """

    def __init__(self, model: PictureModel, folder: Path) -> None:
        self.model = model
        self.name = model.name
        self.words: Words = model.words
        self.shelf = Shelf(folder)

    @property
    def regions(self) -> Literal["never", "may", "must"]:
        return self.model.regions

    @property
    def fingerprint(self) -> str:
        return self.model.fingerprint

    @property
    def settings(self) -> Settings:
        return self.model.settings

    def edit(
        self,
        pictures: Sequence[Image.Image],
        words: Sequence[str],
        seeds: Sequence[int],
        /,
        regions: Sequence[Region | None] | None = None,
    ) -> list[Outcome]:
        """As the model's own; only what is new is made. Raises UserError also where the disk can't be used."""
        marked = [None] * len(pictures) if regions is None else list(regions)
        same_length(pictures, words, seeds, marked)

        def make(asked: Sequence[_Asked]) -> list[Outcome]:
            given = [each.picture for each in asked if each.picture is not None]
            where = [each.region for each in asked]
            return self.model.edit(
                given,
                [each.words for each in asked],
                [each.seed for each in asked],
                regions=where if any(region is not None for region in where) else None,
            )

        asked = [
            _Asked(said, seed, picture, region)
            for picture, said, seed, region in zip(pictures, words, seeds, marked, strict=True)
        ]
        return self._outcomes(asked, make)

    def generate(self, prompts: Sequence[str], seeds: Sequence[int], /) -> list[Outcome]:
        """As the model's own; only what is new is made. Raises UserError also where the disk can't be used."""
        same_length(prompts, seeds)

        def make(asked: Sequence[_Asked]) -> list[Outcome]:
            return self.model.generate([each.words for each in asked], [each.seed for each in asked])

        return self._outcomes([_Asked(*each) for each in zip(prompts, seeds, strict=True)], make)

    def key(
        self, picture: Image.Image | None, words: str, seed: int, region: Region | None = None
    ) -> str | Failed:
        """The key of an edit (of a drawing, where there is no picture), be it made or not.

        A Failed for a picture that can't be edited at all."""
        wanted = self._wanted(_Asked(words, seed, picture, region))
        return wanted if isinstance(wanted, Failed) else wanted.key

    def recalled(self, key: str) -> Outcome | None:
        """What was made under that key; None where nothing was, or its file was harmed. Nothing is made."""
        return self.shelf.outcome(key)

    def _wanted(self, asked: _Asked) -> Wanted | Failed:
        """What is asked for as it is written down, the given picture being kept at once."""
        source = None if asked.picture is None else taken_in(asked.picture, asked.region)
        if isinstance(source, Failed):
            return source
        return Wanted(
            task="generate" if source is None else "edit",
            words=asked.words,
            seed=asked.seed,
            source="" if source is None else self.shelf.add(source),
            region="" if asked.region is None else self.shelf.add(as_picture(asked.region)),
            settings=self.settings,
            fingerprint=self.fingerprint,
        )

    def _outcomes(
        self, asked: Sequence[_Asked], make: Callable[[Sequence[_Asked]], list[Outcome]]
    ) -> list[Outcome]:
        """Every item's outcome in its place: failed at once, called back, or made and kept, each key once."""
        wanted = [self._wanted(each) for each in asked]
        found: dict[str, Outcome] = {}
        missing: dict[str, int] = {}
        for place, each in enumerate(wanted):
            if isinstance(each, Failed) or each.key in found or each.key in missing:
                continue
            recalled = self.shelf.outcome(each.key)
            if recalled is None:
                missing[each.key] = place
            else:
                found[each.key] = recalled
        step = BLOCKS * (self.settings.block or 1)
        places = list(missing.values())
        for start in range(0, len(places), step):
            chosen = places[start : start + step]
            for place, outcome in zip(chosen, make([asked[at] for at in chosen]), strict=True):
                found[self._keep(wanted[place], outcome)] = outcome
        return [each if isinstance(each, Failed) else found[each.key] for each in wanted]

    def _keep(self, wanted: Wanted | Failed, outcome: Outcome) -> str:
        assert isinstance(wanted, Wanted)  # what can't be edited was not made
        if not (isinstance(outcome, Failed) and outcome.passing):
            self.shelf.put(wanted, self.name, outcome)
        return wanted.key
