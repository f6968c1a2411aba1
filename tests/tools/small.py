"""A world small enough for tests: grey pictures with a colored square, and honest parts that see, name and repaint it.

Real parts of a simple kind, behind the same interfaces as any world's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from PIL import Image

from store.database import open_store
from store.errors import UserError
from store.records import Split
from tools.activations import ModelActivations
from tools.budget import Budget
from tools.context import ToolContext
from tools.engine.engine import Engine
from tools.index import build_index
from tools.stimuli import Change, ImageEditor, Pair, Stimulus
from tools.targets.adapter import adapter_for
from tools.targets.load import load_target

SIDE = 28
COLORS = {"red": (220, 30, 30), "blue": (30, 30, 220)}
WORDS = ("red", "blue", "square")


class Squares:
    """Pictures with a red square, a blue one, or none; fulfils ImageSource."""

    name = "squares"
    kinds = ("color",)

    def __init__(self, split: Split = "train", size: int = 60) -> None:
        self.split: Split = split
        self.size = size
        self.fingerprint = hashlib.sha256(f"squares {split} {size}".encode()).hexdigest()

    def __len__(self) -> int:
        return self.size

    def picture(self, index: int, /) -> Stimulus:
        return Stimulus(f"{self.split}/{index}", self._painted(index))

    def asked(self, index: int, /) -> Stimulus:
        color = self.color(index)
        return Stimulus(
            f"{self.split}/{index}?", self._painted(index), "what color is the star ?", color, "color"
        )

    def ask(self, kind: str, n: int, seed: int, /) -> list[Stimulus]:
        colored = [index for index in range(self.size) if self.color(index)]
        return [self.asked(colored[(seed + place) % len(colored)]) for place in range(n)]

    def color(self, index: int) -> str:
        return ("red", "blue", "")[index % 3]

    def _painted(self, index: int) -> Image.Image:
        return painted(self.split, index, self.color(index))


@lru_cache(maxsize=512)
def painted(split: str, index: int, color: str) -> Image.Image:
    seed = int.from_bytes(hashlib.sha256(f"{split}{index}".encode()).digest()[:4])
    random = np.random.default_rng(seed)
    pixels = np.full((SIDE, SIDE, 3), random.integers(90, 160), np.int16)
    pixels += random.integers(-8, 9, pixels.shape, dtype=np.int16)
    if color:
        x, y = random.integers(0, SIDE - 12, 2)
        pixels[y : y + 12, x : x + 12] = COLORS[color]
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


class SquareJudge:
    """Sees colors by counting pixels; fulfils ConceptJudge."""

    def present(
        self, images: Sequence[Image.Image], phrases: Sequence[str], /
    ) -> Float32[np.ndarray, "image phrase"]:
        for phrase in phrases:
            if phrase not in WORDS:
                raise UserError(
                    f"`{phrase}` is not a known word", kind="unknown_phrase", hint="say red or blue"
                )
        return np.array(
            [[self._holds(np.asarray(image).astype(int), phrase) for phrase in phrases] for image in images],
            dtype=np.float32,
        ).reshape(len(images), len(phrases))

    def _holds(self, pixels: np.ndarray, phrase: str) -> float:
        over = pixels[..., 0] - pixels[..., 2]
        seen = {"red": over > 100, "blue": over < -100, "square": np.abs(over) > 100}[phrase]
        return float(np.clip(seen.sum() / 40, 0.02, 0.98))


class SquareDescriber:
    """Names the colors that the judge sees; fulfils Describer."""

    name = "squares"

    def describe(self, images: Sequence[Image.Image], /) -> list[tuple[str, ...]]:
        seen = SquareJudge().present(images, WORDS) >= 0.5
        return [tuple(word for word, holds in zip(WORDS, row, strict=True) if holds) for row in seen]

    def placed(self, images: Sequence[Image.Image], /) -> list[tuple[str, ...]]:
        return [() for _ in images]

    def vocabulary(self) -> tuple[str, ...]:
        return WORDS


class SquareEditor:
    """Paints squares and paints them over; fulfils ImageEditor."""

    name = "squares"

    def pair(self, stimulus: Stimulus, concept: str, change: Change, seed: int, /) -> Pair | None:
        if concept not in COLORS:
            raise UserError(f"`{concept}` can't be painted", kind="unknown_phrase", hint="say red or blue")
        index = int(stimulus.key.rstrip("?").rpartition("/")[2])
        source = Squares(size=10_000)
        other = "blue" if concept == "red" else "red"
        have = source.color(index)
        if (have == concept) == (change == "add"):
            return None
        after = {"add": concept, "remove": "", "swap": other}[change]
        edited = Stimulus(
            f"{stimulus.key}|{change} {concept}",
            painted("train", index, after),
            stimulus.question,
            after,
            stimulus.kind,
        )
        with_, without = (edited, stimulus) if change == "add" else (stimulus, edited)
        return Pair(concept, without, with_, f"{change} {concept}")

    def edit(self, stimulus: Stimulus, instruction: str, seed: int, /) -> Stimulus:
        color = instruction.split()[-1]
        if color not in COLORS:
            raise UserError(
                f"`{instruction}` is not understood", kind="instruction", hint="say `make it red`"
            )
        return Stimulus(f"{stimulus.key}|{instruction}", self._of(color))

    def generate(self, prompt: str, seed: int, /) -> Stimulus:
        color = prompt.split()[0]
        if color not in COLORS:
            raise UserError(f"`{prompt}` is not understood", kind="prompt", hint="say `red square`")
        return Stimulus(f"made|{prompt}", self._of(color))

    def _of(self, color: str) -> Image.Image:
        pixels = np.full((SIDE, SIDE, 3), 120, np.uint8)
        pixels[4:18, 4:18] = COLORS[color]
        return Image.fromarray(pixels)


def small_context(
    model: Path, folder: Path, *, editor: ImageEditor | None = None, budget: Budget | None = None
) -> ToolContext:
    """A whole context over a tiny model; `folder` takes the index and the store."""
    target = load_target(model, name="tiny")
    adapter = adapter_for(target)
    activations = ModelActivations(target, adapter)
    images = Squares()
    index = build_index(
        activations, adapter.extent(), images, folder / "index", fingerprint=target.fingerprint
    )
    store = open_store(folder / "store.db")
    store.recorder.target(target.name, target.fingerprint, target.family, {})
    return ToolContext(
        target=target,
        adapter=adapter,
        engine=Engine(target),
        activations=activations,
        images=images,
        select=Squares("select", 40),
        judge=SquareJudge(),
        describer=SquareDescriber(),
        editor=editor if editor is not None else SquareEditor(),
        index=index,
        store=store,
        budget=budget or Budget(),
    )
