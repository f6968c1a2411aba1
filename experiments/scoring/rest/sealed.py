"""What the rest of the protocol measures with: the test pictures, the scorer's judge and editor, and activations.

None of it reaches a planner: there is no tool context here, and nothing but scores is written. Knows how a component is
read and how chance is drawn; knows nothing about any score.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from experiments.scoring.judged import Judged
from store.address import parse
from store.errors import MaieuticError
from store.records import Description, Reading, Score
from store.values import Estimate
from tools.judging import judge_matrix
from tools.pools import side
from tools.scoring.concept import concept_values, phrases
from tools.scoring.retrieval import active

if TYPE_CHECKING:
    from experiments.workplace import Workplace
    from tools.stimuli import ImageEditor, ImageSource, Stimulus

PROTOCOL = "1"
"""Version of what stands in this folder; a change of what a score means is a new one."""
FEWEST = 8
"""Pairs or pictures without which nothing is said."""

Measure = Callable[["Sealed", Description], dict[str, Score]]


class Unmeasured(MaieuticError):
    """Why a score can't be measured of a component, in words that are the same for all to which it applies."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, kind="unmeasured")


@dataclass(frozen=True)
class Sealed:
    """The sealed side of a workplace, and the frozen words of the run's components (`all_frozen`)."""

    workplace: Workplace
    all_frozen: tuple[Description, ...] = ()
    _on_test: dict[tuple[str, Reading], Float[np.ndarray, "stimulus"]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def test(self) -> ImageSource:
        return self.workplace.world.test

    @property
    def editor(self) -> ImageEditor:
        """The scorer's. Raises Unmeasured where pictures can't be made to order."""
        found = self.workplace.world.scorer_editor
        if found is None:
            raise Unmeasured("these pictures can't be edited or made to order")
        return found

    @cached_property
    def judged(self) -> Judged:
        """What the scorer's judge says of the test pictures."""
        workplace, world = self.workplace, self.workplace.world
        return Judged(
            world.scorer_judge, world.test, name=world.scorer_judge_name, folder=workplace.cache / "judged"
        )

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """The simple phrases of the world that the scorer's judge knows."""
        known = self.workplace.world.describer.vocabulary()
        self.judged.prepare(known)
        return tuple(phrase for phrase in known if self.judged.knows(phrase))

    @cached_property
    def _shown(self) -> list[Stimulus]:
        return [self.test.asked(number) for number in range(len(self.test))]

    def on_test(self, frozen: Description) -> Float[np.ndarray, "stimulus"]:
        """The component's values on all test pictures, larger meaning more of what was said."""
        side_of = (frozen.component, frozen.reading)
        if side_of not in self._on_test:
            self._on_test[side_of] = self.values(frozen, self._shown)
        return self._on_test[side_of]

    def values(self, frozen: Description, stimuli: Sequence[Stimulus]) -> Float[np.ndarray, "stimulus"]:
        """Raises Unmeasured where there are no tokens of the kind at which the component is read."""
        pooled = self.workplace.activations.pooled([parse(frozen.component)], stimuli)
        found = side(pooled, frozen.reading)[:, 0].astype(np.float64)
        if not np.isfinite(found).all():
            raise Unmeasured(f"there are no {frozen.reading.scope} tokens")
        return found

    def threshold(self, frozen: Description) -> float:
        """The least value that counts as active on test, as AUPRC and F1 have it."""
        values = self.on_test(frozen)
        top = active(values[:, None])[:, 0]
        if not top.any():
            raise Unmeasured("the component is active on no test picture")
        return float(values[top].min())

    def presence(self, concept: str) -> Float[np.ndarray, "stimulus"]:
        """Of a concept in all test pictures."""
        self.judged.prepare(phrases(concept))
        return np.broadcast_to(concept_values(concept, self.judged.column), len(self.test))

    def seen(self, stimuli: Sequence[Stimulus], words: Sequence[str]) -> Float[np.ndarray, "stimulus phrase"]:
        """Presence of phrases in pictures that were edited or made."""
        return judge_matrix(self.workplace.world.scorer_judge, stimuli, words).astype(np.float64)

    def fulfilled(self, stimulus: Stimulus, concept: str) -> float:
        """Presence of a concept in one such picture."""
        words = phrases(concept)
        table = dict(zip(words, self.seen([stimulus], words)[0], strict=True))
        return float(concept_values(concept, lambda phrase: np.array(table[phrase])))

    def seed(self, frozen: Description, *purpose: object) -> int:
        """Depends on the run's seed, the component and the purpose alone: the same words score the same."""
        text = "|".join(map(str, (self.workplace.seed, frozen.component, *purpose)))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])

    def chance(self, frozen: Description, *purpose: object) -> np.random.Generator:
        return np.random.default_rng(self.seed(frozen, *purpose))

    def score(self, estimate: Estimate, *, null: float) -> Score:
        """On `test`, beside what chance or a control reaches."""
        return Score(
            value=estimate.value,
            ci=(estimate.low, estimate.high),
            n=estimate.n,
            split=self.test.split,
            null=null,
            judge=self.judged.mark(self.workplace.world.judge_name),
            protocol=PROTOCOL,
        )
