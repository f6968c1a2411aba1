"""Stimuli about which a table of facts is known, and a judge that reads it: real parts without a picture to see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Float32
from PIL import Image

from store.errors import UserError
from store.records import Reading, Split
from tools.stimuli import Stimulus

PIXEL = Image.new("RGB", (1, 1))


class Facts:
    """`n` stimuli of a split; fulfils ImageSource."""

    name = "facts"
    kinds = ()

    def __init__(self, n: int, split: Split = "test") -> None:
        self.n, self.split = n, split
        self.fingerprint = f"facts-{split}-{n}"

    def __len__(self) -> int:
        return self.n

    def picture(self, index: int, /) -> Stimulus:
        return Stimulus(f"facts-{self.split}/{index}", PIXEL)

    def asked(self, index: int, /) -> Stimulus:
        return self.picture(index)

    def ask(self, kind: str, n: int, seed: int, /) -> list[Stimulus]:
        return []


class Table:
    """Knows of each stimulus what its table says; fulfils StimulusJudge. `asked` counts stimuli × phrases."""

    def __init__(self, columns: Mapping[str, Sequence[float] | Float[np.ndarray, "stimulus"]]) -> None:
        self.columns = {phrase: np.asarray(column, np.float32) for phrase, column in columns.items()}
        self.asked = 0

    def present(
        self, images: Sequence[Image.Image], phrases: Sequence[str], /
    ) -> Float32[np.ndarray, "image phrase"]:
        raise UserError("a table knows no `pictures`", kind="judge")

    def present_stimuli(
        self, stimuli: Sequence[Stimulus], phrases: Sequence[str], /
    ) -> Float32[np.ndarray, "stimulus phrase"]:
        for phrase in phrases:
            if phrase not in self.columns:
                raise UserError(f"`{phrase}` is not a known word", kind="unknown_phrase")
        rows = [int(stimulus.key.rpartition("/")[2]) for stimulus in stimuli]
        self.asked += len(rows) * len(phrases)
        return np.stack([self.columns[phrase][rows] for phrase in phrases], axis=1)


HIGH = Reading()
