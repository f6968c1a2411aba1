"""Items of a reproduction of Neo et al. 2024: a picture, the pixels of one thing in it, and three ways to ask for it.

Knows what an item is, whatever world it comes from; knows nothing about targets. `polling` asks whether the thing is
there (it is), `caption` for the whole picture in words, `asked` for something that the thing alone answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from tools.stimuli import Stimulus

Mask = Bool[np.ndarray, "height width"]
FEWEST = 8
"""Items without which nothing is said."""


@dataclass(frozen=True, eq=False)
class Item:
    """`words` are what the lens looks for, by what they say of the thing (the first is its class); `names_it` whether a
    caption names the thing; `others` the pixels of other things that are known."""

    polling: Stimulus
    caption: Stimulus
    asked: Stimulus | None
    thing: Mask
    others: Mask
    words: Mapping[str, str]
    names_it: Callable[[str], bool]


@dataclass(frozen=True, eq=False)
class Pictures:
    """A collection's items, and the pictures over which the mean visual token is taken. `chosen` says in words which
    things are items; a caption has `longest` tokens at most."""

    name: str
    items: tuple[Item, ...]
    reference: tuple[Stimulus, ...]
    chosen: str
    longest: int
