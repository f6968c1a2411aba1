"""A describer that says of the same picture what it said before, without looking again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from PIL import Image

from tools.stimuli import Describer

MOST = 20_000
"""Pictures that are remembered; then everything is forgotten."""


class Remembered:
    """Fulfils `tools.stimuli.Describer` over another one."""

    def __init__(self, describer: Describer) -> None:
        self.describer = describer
        self.name = describer.name
        self._told = Answers(describer.describe)
        self._placed = Answers(describer.placed)

    def describe(self, images: Sequence[Image.Image], /) -> list[tuple[str, ...]]:
        return self._told.of(images)

    def placed(self, images: Sequence[Image.Image], /) -> list[tuple[str, ...]]:
        return self._placed.of(images)

    def vocabulary(self) -> tuple[str, ...]:
        return self.describer.vocabulary()


class Answers:
    """What was said of each picture, kept by its pixels; `ask` is asked of new ones only."""

    def __init__(self, ask: Callable[[Sequence[Image.Image]], list[tuple[str, ...]]]) -> None:
        self.ask = ask
        self._kept: dict[bytes, tuple[str, ...]] = {}

    def of(self, images: Sequence[Image.Image]) -> list[tuple[str, ...]]:
        keys = [hashlib.sha256(repr(image.size).encode() + image.tobytes()).digest() for image in images]
        known = {key: self._kept[key] for key in keys if key in self._kept}
        new = {key: image for key, image in zip(keys, images, strict=True) if key not in known}
        told = dict(zip(new, self.ask(list(new.values())), strict=True))  # others may be asked for meanwhile
        if len(self._kept) + len(told) > MOST:
            self._kept.clear()
        self._kept |= told
        known |= told
        return [known[key] for key in keys]
