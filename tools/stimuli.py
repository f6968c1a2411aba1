"""Stimuli: what a target is shown, and the collections, editors and describers that give stimuli.

Knows the interfaces that a world implements (a painted one, a folder of photographs, a diffusion model); knows nothing
about any world. What a scene graph may know about a stimulus stays behind these interfaces: planners and tools see
pictures and words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool
from PIL import Image

from store.records import Split

Change = Literal["add", "remove", "swap"]


@dataclass(frozen=True, eq=False)
class Stimulus:
    """A picture (upright RGB) and, for the language side, a question about it with its right answer if one is known.

    `key` names it for good: `train/17`, `photos/3fa9…`, and for an edited picture the source's key and the change.
    `kind` is the question's kind (`color`, `counting` …), empty where there is none.
    """

    key: str
    image: Image.Image
    question: str = ""
    answer: str = ""
    kind: str = ""

    @cached_property
    def sha256(self) -> str:
        """Hash of the pixels and the words."""
        size = f"{self.image.width}×{self.image.height}|{self.question}|".encode()
        return hashlib.sha256(size + self.image.tobytes()).hexdigest()


@dataclass(frozen=True, eq=False)
class Pair:
    """Two stimuli that differ in one concept: `without` it and `with_` it.

    `region` marks the pixels that differ; `changed` says in words what was done, to which picture.
    """

    concept: str
    without: Stimulus
    with_: Stimulus
    changed: str
    region: Bool[np.ndarray, "height width"] | None = None


class ImageSource(Protocol):
    """A collection of pictures. Item `i` is always the same; `fingerprint` names the content as a whole."""

    name: str
    split: Split

    @property
    def fingerprint(self) -> str: ...

    def __len__(self) -> int: ...

    def picture(self, index: int, /) -> Stimulus:
        """Picture `index` without a question."""
        ...

    def asked(self, index: int, /) -> Stimulus:
        """Picture `index` with the one question that goes with it (its answer is known only where the world knows)."""
        ...

    def ask(self, kind: str, n: int, seed: int, /) -> list[Stimulus]:
        """`n` stimuli of one question kind with known answers, balanced over answers; [] where none are known."""
        ...

    @property
    def kinds(self) -> tuple[str, ...]:
        """Question kinds that `ask` knows."""
        ...


class ImageEditor(Protocol):
    """Something that makes pictures to order. Every picture that it gives back descends from the planner's split."""

    name: str

    def pair(self, stimulus: Stimulus, concept: str, change: Change, seed: int, /) -> Pair | None:
        """The stimulus beside one in which the concept stops (`remove`), starts (`add`) or, by a change of one word
        of it, stops to hold (`swap`), all else being equal. None where this picture does not allow it.

        Raises UserError for a concept that is not understood.
        """
        ...

    def edit(self, stimulus: Stimulus, instruction: str, seed: int, /) -> Stimulus:
        """The stimulus after an instruction such as "make the star blue". Raises UserError when it can't be done."""
        ...

    def generate(self, prompt: str, seed: int, /) -> Stimulus:
        """A picture of what the prompt says. Raises UserError when the words are not understood."""
        ...


@runtime_checkable
class Inquirer(Protocol):
    """An editor whose world knows answers: it can ask of a pair what tells its sides apart."""

    def telling(self, pair: Pair, seed: int, /) -> Pair:
        """The pair with a question whose right answers differ between its sides: about the concept that they differ in.

        Raises UserError for a pair that is not of its making.
        """
        ...


@runtime_checkable
class Reworder(Protocol):
    """An editor whose world knows answers: it can replace one word of a question."""

    def reworded(self, stimulus: Stimulus, tokens: Callable[[str], int], seed: int, /) -> Stimulus | None:
        """The same picture with a question that differs in one word and in its right answer; None where none is known.

        `tokens` counts a text's tokens: both questions have as many.
        """
        ...


class Describer(Protocol):
    """Something that puts pictures into words without knowing what they are shown for."""

    name: str

    def describe(self, images: Sequence[Image.Image], /) -> list[tuple[str, ...]]:
        """The phrases that hold in each picture or crop, most specific last: ("red thing", "star", "red star")."""
        ...

    def placed(self, images: Sequence[Image.Image], /) -> list[tuple[str, ...]]:
        """What lies where in each whole picture: ("star in the upper left"); () from one who can't tell places."""
        ...

    def vocabulary(self) -> tuple[str, ...]:
        """The simple phrases that it may use; () where they are open."""
        ...
