"""What an edit is meant to do: the words that a model gets, and what must be true of the picture afterwards.

Knows phrases and pixels; knows nothing about models that edit, nor about the worlds that state intents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Bool

from tools.stimuli import Change, Stimulus


@dataclass(frozen=True, eq=False)
class Intent:
    """One intended edit, as what is to be done (`instruction`) and as what the result shows (`description`).

    `come` must hold afterwards, `gone` must not; both are about what is changed. Of `kept`, phrases true or false,
    nothing may change. `numbers` says of phrases about things how many more (or fewer) they fit afterwards. `region`
    marks the pixels that may differ; None where nobody knows them.
    """

    instruction: str
    description: str
    come: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    numbers: tuple[tuple[str, int], ...] = ()
    region: Bool[np.ndarray, "height width"] | None = None


@dataclass(frozen=True, eq=False)
class Planned:
    """An intent for one stimulus: `before` as it is shown, and `after` as it is to be called and asked.

    The picture in `after` is never shown: a painted one where the world can paint, otherwise that of `before`.
    """

    concept: str
    intent: Intent
    before: Stimulus
    after: Stimulus
    told: str


class Intents(Protocol):
    """A world's knowledge of how an edit is worded, and of what else it says."""

    def pair(self, stimulus: Stimulus, concept: str, change: Change, seed: int, /) -> Planned | None:
        """How the concept is added, removed or swapped in this picture; None where it does not allow it.

        Raises UserError for a concept that is not understood.
        """
        ...

    def edit(self, stimulus: Stimulus, instruction: str, seed: int, /) -> Planned:
        """What an instruction means here. Raises UserError for one that can't be carried out."""
        ...

    def generate(self, prompt: str, seed: int, /) -> Planned:
        """What a prompt asks for; `before` is the empty canvas. Raises UserError for words that are not understood."""
        ...
