"""Picture models of known behavior for tests: they paint what a plan says, right or wrong as they are told to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from PIL import Image

from tools.editing.backend import Failed, Made, Outcome, Region, Settings, Words
from tools.editing.intent import Planned

Hand = Callable[[Planned, int], Image.Image | Failed]
"""What comes of a plan with a seed."""


class Painter:
    """Knows every plan by its instruction and by its description, and what its hand makes of it."""

    name = "painter"
    words: Words = "instruction"
    regions: Literal["never", "may", "must"] = "never"
    settings = Settings(steps=1)
    fingerprint = "0" * 64

    def __init__(self, plans: Sequence[Planned], hand: Hand) -> None:
        self.plans = {one.intent.instruction: one for one in plans}
        self.prompts = {one.intent.description: one for one in plans}
        self.hand = hand
        self.asked: list[tuple[str, int]] = []

    def edit(
        self,
        pictures: Sequence[Image.Image],
        words: Sequence[str],
        seeds: Sequence[int],
        /,
        regions: Sequence[Region | None] | None = None,
    ) -> list[Outcome]:
        return [self._made(self.plans[told], told, seed) for told, seed in zip(words, seeds, strict=True)]

    def generate(self, prompts: Sequence[str], seeds: Sequence[int], /) -> list[Outcome]:
        return [self._made(self.prompts[told], told, seed) for told, seed in zip(prompts, seeds, strict=True)]

    def _made(self, plan: Planned, told: str, seed: int) -> Outcome:
        self.asked.append((told, seed))
        found = self.hand(plan, seed)
        return found if isinstance(found, Failed) else Made(found)
