"""What tools work with: a target behind its engine, pictures, a judge, a describer, an editor, the index, the store.

Knows what belongs together in one run and how chance is drawn; knows nothing about any tool, nor which world the parts
come from. Pictures are those of the planner's own split: whatever is sealed can't be reached from here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from store.address import Address, Extent, parse
from tools.budget import Budget
from tools.meter import metered
from tools.rounds import undisturbed

if TYPE_CHECKING:
    from torch import Tensor

    from store.database import Store
    from store.recorder import Turn
    from tools.activations import ActivationSource
    from tools.engine.engine import Engine
    from tools.index import ExemplarIndex
    from tools.judging import ConceptJudge
    from tools.methods.answers import Margins
    from tools.stimuli import Describer, ImageEditor, ImageSource
    from tools.targets.adapter import Adapter
    from tools.targets.target import Target


@dataclass
class Memory:
    """What one process need not find out twice. `charged` holds the turns that it has paid for; `embedded` and `judged`
    what the planner's pictures look like and how likely each phrase holds in them; `means` what sites are, on average
    or on given questions; `margins` and `logits` how sure untouched and control rows are of answers, and what they say.
    What it took to fill it belongs to the run, not to a component, so that a call costs the same whatever was measured
    before.
    """

    charged: set[Turn] = field(default_factory=set)
    embedded: dict[int, np.ndarray] = field(default_factory=dict)
    judged: dict[tuple[str, int], float] = field(default_factory=dict)
    means: dict[str, Tensor] = field(default_factory=dict)
    margins: dict[str, Margins] = field(default_factory=dict)
    logits: dict[str, Tensor] = field(default_factory=dict)


@dataclass
class ToolContext:
    """One run's parts. `images` is the planner's split and `select` the one it may ask scores of, never its pictures;
    without an `editor` pairs are found, not made. `turn` is the call that is being measured."""

    target: Target
    adapter: Adapter
    engine: Engine
    activations: ActivationSource
    images: ImageSource
    select: ImageSource
    judge: ConceptJudge
    describer: Describer
    editor: ImageEditor | None
    index: ExemplarIndex
    store: Store
    budget: Budget
    seed: int = 0
    turn: Turn | None = None
    memory: Memory = field(default_factory=Memory)

    @property
    def extent(self) -> Extent:
        return self.adapter.extent()

    @contextmanager
    def shared(self) -> Iterator[None]:
        """What runs inside fills the memory: it is charged to nobody, and no call beside it sees it half filled."""
        with metered(), undisturbed():
            yield

    def address(self, text: str) -> Address:
        """The component that a planner's words name. Raises UserError of kind "address"."""
        return parse(text, self.extent)

    def derived_seed(self, *words: object) -> int:
        """A seed that depends on the run's and on `words` (a component, a purpose) alone: below 2³²."""
        text = "|".join([str(self.seed), *map(str, words)])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])

    def random(self, *words: object) -> np.random.Generator:
        """Chance for one purpose, the same at every call."""
        return np.random.default_rng(self.derived_seed(*words))
