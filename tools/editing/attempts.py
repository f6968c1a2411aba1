"""Tries at an edit until one is proved, each with another seed; every try is kept, with the reason it was turned down.

Knows models that edit, the verifier, and how many tries there are; knows nothing about worlds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image

from store.records import Model
from tools.editing.backend import Made, Outcome, PictureModel, Region, same_length
from tools.editing.intent import Intent
from tools.editing.tally import Tally
from tools.editing.verify import Check, Verifier

MOST = 3
"""Tries at one edit."""


class Attempt(Model):
    """One try: the words and the seed, and what was found of it, or (`failed`) why there was no picture.

    `notes` say what was done to the picture on its way; `money` is None where nobody knows the price.
    """

    words: str
    seed: int
    check: Check | None = None
    failed: str = ""
    notes: tuple[str, ...] = ()
    money: float | None = 0.0

    @property
    def accepted(self) -> bool:
        return self.check is not None and self.check.accepted

    @property
    def reasons(self) -> tuple[str, ...]:
        return (self.failed,) if self.check is None else self.check.reasons


@dataclass(frozen=True, eq=False)
class Tried:
    """All tries at one edit, in order, each beside its picture if there is one; `picture` is the accepted one."""

    attempts: tuple[Attempt, ...]
    pictures: tuple[Image.Image | None, ...]

    @property
    def picture(self) -> Image.Image | None:
        return self.pictures[-1] if self.attempts and self.attempts[-1].accepted else None

    @property
    def told(self) -> str:
        """What is known of the picture: `proved`, or UNCHECKED; "" where there is none."""
        check = self.attempts[-1].check if self.attempts else None
        return check.told if check is not None and check.accepted else ""


@dataclass
class Attempts:
    """A model that edits, behind a verifier; `tally` counts what became of all its edits."""

    model: PictureModel
    verifier: Verifier
    most: int = MOST
    tally: Tally = field(default_factory=Tally)

    def edit(
        self, befores: Sequence[Image.Image], intents: Sequence[Intent], seeds: Sequence[int]
    ) -> list[Tried]:
        """Tries every edit up to `most` times; try k of seed s has the seed s · most + k. A second try goes to those
        alone that the first left open, so that what becomes of one edit depends on no other.
        """
        return self._all(befores, intents, seeds, generate=False)

    def generate(
        self, canvases: Sequence[Image.Image], intents: Sequence[Intent], seeds: Sequence[int]
    ) -> list[Tried]:
        """The same for pictures of what the intents describe; the verifier compares them with the empty `canvases`."""
        return self._all(canvases, intents, seeds, generate=True)

    def _all(
        self,
        befores: Sequence[Image.Image],
        intents: Sequence[Intent],
        seeds: Sequence[int],
        *,
        generate: bool,
    ) -> list[Tried]:
        tries: list[list[tuple[Attempt, Image.Image | None]]] = [[] for _ in intents]
        waiting = list(range(same_length(befores, intents, seeds)))
        for number in range(self.most):
            if not waiting:
                break
            asked = [intents[place] for place in waiting]
            shown = [befores[place] for place in waiting]
            chances = [seeds[place] * self.most + number for place in waiting]
            words = [
                one.instruction if self.model.words == "instruction" else one.description for one in asked
            ]
            made = (
                self.model.generate([one.description for one in asked], chances)
                if generate
                else self.model.edit(shown, words, chances, regions=self._regions(asked))
            )
            checks = self._checked(shown, asked, made)
            for place, seed, told, outcome, check in zip(waiting, chances, words, made, checks, strict=True):
                tries[place].append(_attempt(told, seed, outcome, check))
            waiting = [place for place in waiting if not tries[place][-1][0].accepted]
        tried = [Tried(*(tuple(part) for part in zip(*one, strict=True))) for one in tries]
        self.tally.count(
            [one.attempts[0].accepted for one in tried], [one.picture is not None for one in tried]
        )
        return tried

    def _regions(self, intents: Sequence[Intent]) -> list[Region | None] | None:
        return None if self.model.regions == "never" else [intent.region for intent in intents]

    def _checked(
        self, befores: Sequence[Image.Image], intents: Sequence[Intent], made: Sequence[Outcome]
    ) -> list[Check | None]:
        """A check for every picture; None where there is none."""
        there = [(place, outcome.image) for place, outcome in enumerate(made) if isinstance(outcome, Made)]
        checks = iter(
            self.verifier.check(
                [befores[place] for place, _ in there],
                [picture for _, picture in there],
                [intents[place] for place, _ in there],
            )
        )
        return [next(checks) if isinstance(outcome, Made) else None for outcome in made]


def _attempt(
    words: str, seed: int, outcome: Outcome, check: Check | None
) -> tuple[Attempt, Image.Image | None]:
    """What is kept of a try, and its picture if there is one."""
    if isinstance(outcome, Made):
        told = Attempt(words=words, seed=seed, check=check, notes=outcome.notes, money=outcome.money)
        return told, outcome.image
    return Attempt(words=words, seed=seed, failed=outcome.why), None
