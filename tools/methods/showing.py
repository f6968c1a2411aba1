"""Which pictures a planner means, and how they are shown: by number or key, as artifacts, with heat maps.

A picture of the planner's split is named by its number, or its key; one that was made for a planner, by the key that
the tool gave back. Anything else is refused: sealed pictures can't be named. Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import numpy as np
from jaxtyping import Float32
from PIL import Image
from pydantic import Field

from store.address import Address
from store.errors import PlannerError
from store.records import Model, Reading
from tools.images import decode_image
from tools.pictures import overlay, png
from tools.pools import turned
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from tools.context import ToolContext

Named = Annotated[
    int | str, Field(description="A picture's number in the planner's split, or a key that a tool gave.")
]
Component = Annotated[str, Field(description="One component's address, such as `language.3.mlp.17`.")]
MADE = "made/"
"""Keys of pictures that were made for a planner begin with this; the artifact's hash follows."""


class Shown(Model):
    """A picture on a page: `image` and `overlay` are artifacts; `index` is its number in the source, if it has one."""

    key: str
    index: int | None = None
    value: float
    image: str
    overlay: str = ""
    tail: str = ""


def chosen(context: ToolContext, named: Sequence[int | str]) -> list[Stimulus]:
    """The stimuli that a planner names, pictures of the source with their question.

    Raises PlannerError for a number past the end, a sealed picture, or a key that no tool gave.
    """
    return [_one(context, name) for name in named]


def keep(context: ToolContext, image: Image.Image) -> str:
    """The picture as an artifact."""
    return context.store.artifacts.put(png(image), "image/png")


def keep_made(context: ToolContext, stimulus: Stimulus, kind: str) -> tuple[str, str]:
    """A made picture as artifact and on record as one of the planner's split: its key for planners, and its hash."""
    sha = keep(context, stimulus.image)
    key = f"{MADE}{sha[:32]}"
    context.store.recorder.stimulus(key, sha256=stimulus.sha256, split="train", kind=kind, artifact=sha)
    return key, sha


def maps(
    context: ToolContext, address: Address, reading: Reading, stimuli: Sequence[Stimulus]
) -> Float32[np.ndarray, "stimulus rows columns"]:
    """Activations over the picture, larger meaning more of what the reading means (a head's attention has no sign)."""
    found = context.activations.maps(address, stimuli)
    return found if address.part == "head" else turned(found, reading)


def keep_overlays(
    context: ToolContext, address: Address, reading: Reading, stimuli: Sequence[Stimulus]
) -> list[str]:
    """Overlays as artifacts, all on one scale: the hottest place of them all."""
    heat = maps(context, address, reading, stimuli)
    scale = float(np.nanmax(heat, initial=0.0))
    return [
        keep(context, overlay(stimulus.image, one, scale))
        for stimulus, one in zip(stimuli, heat, strict=True)
    ]


def _one(context: ToolContext, name: int | str) -> Stimulus:
    size = len(context.images)
    if isinstance(name, str) and name.startswith(MADE):
        return _made(context, name)
    if isinstance(name, str):
        tail = name.rpartition("/")[2]
        number = int(tail) if tail.isdecimal() and tail.isascii() else -1
        if not 0 <= number < size or context.images.picture(number).key != name:
            raise _unknown(context, name)
        return context.images.asked(number)
    if not 0 <= name < size:
        raise PlannerError(
            f"`{name}` is past the end: there are {size} pictures",
            kind="picture",
            hint=f"numbers go from 0 to {size - 1}",
        )
    return context.images.asked(name)


def _made(context: ToolContext, key: str) -> Stimulus:
    row = context.store.queries.stimulus(key)
    if row is None or row.split != "train" or not row.artifact:
        raise _unknown(context, key)
    return Stimulus(key, decode_image(context.store.artifacts.get(row.artifact), key))


def _unknown(context: ToolContext, name: str) -> PlannerError:
    return PlannerError(
        f"`{name}` is no picture that a planner may look at; pictures of the splits `select` and `test` are sealed",
        kind="picture",
        hint=f"give numbers from 0 to {len(context.images) - 1}, or keys that a tool gave back",
    )
