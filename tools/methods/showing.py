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


class Shown(Model):
    """A picture on a page: `image` and `overlay` are artifacts; `index` is its number in the source, if it has one.

    `tail` says why it is shown, `of` names the picture beside which it belongs.
    """

    key: str
    index: int | None = None
    value: float
    image: str
    overlay: str = ""
    tail: str = ""
    of: str = ""
    question: str = ""


def chosen(context: ToolContext, named: Sequence[int | str]) -> list[Stimulus]:
    """The stimuli that a planner names, pictures of the source with their question.

    Raises PlannerError for a number past the end, a sealed picture, or a key that no tool gave.
    """
    return [_one(context, name) for name in named]


def keep(context: ToolContext, image: Image.Image) -> str:
    """The picture as an artifact."""
    return context.store.artifacts.put(png(image), "image/png")


def keep_made(context: ToolContext, stimulus: Stimulus, kind: str) -> str:
    """A picture that was made, as artifact, and on record as one that planners may look at: its key finds it again."""
    sha = keep(context, stimulus.image)
    plain = Stimulus(stimulus.key, stimulus.image)
    context.store.recorder.stimulus(plain.key, plain.sha256, "train", kind=kind, artifact=sha)
    return sha


def maps(
    context: ToolContext, address: Address, reading: Reading, stimuli: Sequence[Stimulus]
) -> Float32[np.ndarray, "stimulus rows columns"]:
    """Activations over the picture, larger meaning more of what the reading means (a head's attention has no sign)."""
    found = context.activations.maps(address, stimuli)
    return found if address.part == "head" else turned(found, reading)


def keep_overlays(
    context: ToolContext, address: Address, reading: Reading, stimuli: Sequence[Stimulus]
) -> list[str]:
    """Overlays as artifacts, all on one scale: the hottest place of them all. Empty where no picture token is seen."""
    if not seen_by(context, address):
        return [""] * len(stimuli)
    heat = maps(context, address, reading, stimuli)
    scale = float(np.nanmax(heat, initial=0.0))
    return [
        keep(context, overlay(stimulus.image, one, scale))
        for stimulus, one in zip(stimuli, heat, strict=True)
    ]


def seen_by(context: ToolContext, address: Address) -> bool:
    """Whether picture tokens pass at the component, or it looks at them: not in a contrastive model's text tower."""
    if address.tower == "cross":
        return True
    return context.index.entry(address).pools["visual.max"].known


def _one(context: ToolContext, name: int | str) -> Stimulus:
    size = len(context.images)
    if isinstance(name, int):
        if not 0 <= name < size:
            raise PlannerError(
                f"`{name}` is past the end: there are {size} pictures",
                kind="picture",
                hint=f"numbers go from 0 to {size - 1}",
            )
        return context.images.asked(name)
    tail = name.rstrip("?").rpartition("/")[2]
    number = int(tail) if tail.isdecimal() and tail.isascii() else -1
    if 0 <= number < size and context.images.picture(number).key == name.rstrip("?"):
        return context.images.asked(number)
    made = context.store.queries.stimulus(name)
    if made is None or made.split != "train" or not made.artifact:
        raise PlannerError(
            f"`{name}` is no picture that a planner may look at; those of the splits `select` and `test` are sealed",
            kind="picture",
            hint=f"give numbers from 0 to {size - 1}, or keys that a tool gave back",
        )
    return Stimulus(name, decode_image(context.store.artifacts.get(made.artifact), name))
