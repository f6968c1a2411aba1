"""A describer that says of the same picture what it said before, without looking again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from PIL import Image

from tools.stimuli import Describer

MOST = 20_000
"""Pictures that are remembered; then everything is forgotten."""


class Remembered:
    """Fulfils `tools.stimuli.Describer` over another one."""

    def __init__(self, describer: Describer) -> None:
        self.describer = describer
        self.name = describer.name
        self._told: dict[bytes, tuple[str, ...]] = {}

    def describe(self, images: Sequence[Image.Image], /) -> list[tuple[str, ...]]:
        keys = [hashlib.sha256(repr(image.size).encode() + image.tobytes()).digest() for image in images]
        new = {key: image for key, image in zip(keys, images, strict=True) if key not in self._told}
        if len(self._told) + len(new) > MOST:
            self._told.clear()
            new = dict(zip(keys, images, strict=True))
        self._told.update(zip(new, self.describer.describe(list(new.values())), strict=True))
        return [self._told[key] for key in keys]

    def vocabulary(self) -> tuple[str, ...]:
        return self.describer.vocabulary()
