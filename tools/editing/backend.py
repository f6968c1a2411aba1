"""What a model that edits pictures is, whichever library or server it runs in: pictures and words in, pictures out.

Knows the interface, the settings that are recorded, and how one picture's failure is told without ending the others.
Knows nothing about what an edit means, whether it was carried out, or what a scene is: that is verified above.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

import numpy as np
from jaxtyping import Bool
from PIL import Image
from pydantic import Field

from store.records import Model

Words = Literal["instruction", "description"]
"""What `edit` wants to be told: what is to be changed ("make the star blue"), or what the result shows."""
Kind = Literal[
    "input",  # the picture, the words or the region can't be used
    "memory",  # no room for even one picture at a time
    "safety",  # a safety filter took the picture away
    "blank",  # one color all over
    "nan",  # values that are no numbers
    "unchanged",  # the picture that was given
    "shape",  # another shape than was asked for
    "broken",  # bytes that are no picture, or an answer without one
    "endpoint",  # a server that failed, was too slow, or refused
]
PASSING: tuple[Kind, ...] = ("memory", "endpoint", "broken")
"""Kinds that another time may cure; all others come again with the same picture, words, seed and settings."""
ONE_GENERATOR_A_PICTURE = "one CPU generator for each picture, seeded with the picture's seed"
NO_SEEDS = "the endpoint takes no seed: it only tells attempts apart"

Region = Bool[np.ndarray, "height width"]
"""True where the picture may change."""


class Settings(Model):
    """What an edit depends on besides the picture, the words and the seed. None: the model has no such thing.

    `size` is the longer side in pixels at which the model works. `block` pictures always go through it together (a
    short block is filled up), so that no result hangs on its company. `canvas` is the color of the empty picture on
    which a model draws that can only edit, and `drawing` what it is told there (`{}` stands for the prompt). `seeds`
    says what a seed does.
    """

    steps: Annotated[int, Field(ge=1)] | None = None
    guidance: Annotated[float, Field(ge=0)] | None = None
    image_guidance: Annotated[float, Field(ge=0)] | None = None
    strength: Annotated[float, Field(gt=0, le=1)] | None = None
    size: Annotated[int, Field(ge=8)] | None = None
    block: Annotated[int, Field(ge=1)] | None = None
    dtype: str | None = None
    canvas: str = "white"
    drawing: str = "draw {}"
    quality: str | None = None
    seeds: str = ONE_GENERATOR_A_PICTURE


@dataclass(frozen=True, eq=False)
class Made:
    """A picture that came back: RGB, of the size of the one that was given, and not blank.

    `notes` are sentences on what was done to it on the way ("was edited at 512×512 pixels and scaled back to 112×112").
    `money` is None where nobody knows what it cost.
    """

    image: Image.Image
    notes: tuple[str, ...] = ()
    money: float | None = 0.0


@dataclass(frozen=True)
class Failed:
    """No picture, and why: a sentence for a reader. The other pictures of the call are not touched by it."""

    kind: Kind
    why: str

    @property
    def passing(self) -> bool:
        """Whether another time may cure it."""
        return self.kind in PASSING


Outcome = Made | Failed


class PictureModel(Protocol):
    """A model that edits pictures. Every result depends on (pixels, words, seed, region, settings) alone.

    `words` says what `edit` wants to be told; `regions` whether it takes (`may`), needs (`must`) or can't use (`never`)
    a region. `fingerprint` is the SHA-256 of weights and configuration, or of endpoint and model.
    """

    name: str
    words: Words

    @property
    def regions(self) -> Literal["never", "may", "must"]: ...

    @property
    def fingerprint(self) -> str: ...

    @property
    def settings(self) -> Settings:
        """The settings in force, with what the model's own defaults stand for."""
        ...

    def edit(
        self,
        pictures: Sequence[Image.Image],
        words: Sequence[str],
        seeds: Sequence[int],
        /,
        regions: Sequence[Region | None] | None = None,
    ) -> list[Outcome]:
        """Each picture after its words, in order; outside of a region nothing changes at all.

        Raises ValueError when the sequences differ in length, and UserError when no picture can be edited at all (no
        key, a model that is not there); what goes wrong with one picture is a Failed in its place.
        """
        ...

    def generate(self, prompts: Sequence[str], seeds: Sequence[int], /) -> list[Outcome]:
        """A picture that shows what each prompt describes ("a red star"). Raises as `edit` does."""
        ...


Progress = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and of how much."""


def silent(what: str, done: int, of: int) -> None:
    """Progress that nobody wants to see."""


def same_length(*sequences: Sequence[Any]) -> int:
    """How many items there are. Raises ValueError when the sequences disagree."""
    lengths = {len(sequence) for sequence in sequences}
    if len(lengths) != 1:
        raise ValueError(
            f"{' and '.join(str(len(sequence)) for sequence in sequences)} items don't go together"
        )
    return lengths.pop()
