"""Pushes at one divergence: a component's own beside controls that move the same answers as far.

Doses are found on questions that are kept out, and everything is measured on the others, question by question, each
with a control of its own. What controls do at a stated divergence belongs to the site and is measured once. Knows
pushes, questions and doses; knows nothing about what follows from the numbers. Not a tool.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from store.errors import PlannerError
from tools.methods.about import Led, lead, says
from tools.methods.answers import logits_of, run
from tools.methods.doses import divergence, dose_for, reached
from tools.methods.pushes import Push

if TYPE_CHECKING:
    from torch import Tensor

    from tools.context import ToolContext

FOUND_ON = 12
"""Questions on which a component's dose is found."""
KEPT_OUT = 24
"""Questions, those among them, on which the doses of controls are found; none of them is measured."""
START, FARTHEST = 100.0, 1e5
"""Doses at which the search for those of controls begins, and up to which they are pushed."""
LEAST = 1e-7
"""Divergence in nats below which nothing has been moved, and nothing can be matched."""


class Moved(NamedTuple):
    """What a push does, question by question: the change of the lead in logits, of the share of named answers that are
    given, and the divergence in nats. `dose` is what it took."""

    lead: Float[np.ndarray, "row"]
    said: Float[np.ndarray, "row"]
    kl: Float[np.ndarray, "row"]
    dose: float


@dataclass(frozen=True)
class Match:
    """Pushes on the same questions; `measured` are the places of those on which effects count."""

    context: ToolContext
    asked: Led
    measured: Sequence[int]

    def own(self, push: Push, kl: float, most: float) -> Moved:
        """The push at this divergence. Raises PlannerError where no dose up to `most` reaches it."""
        found = dose_for(lambda size: self._kl(push, size, FOUND_ON), kl, 1.0, most)
        if not reached(found, kl):
            raise PlannerError(
                f"{most:g} times {push.unit} moves next tokens by {round(found.kl, 6):.2g} nats, not by {kl:.2g}: "
                "answers hardly follow it",
                kind="no_dose",
                hint="ask for a smaller `kl`, or leave the claim undetermined",
            )
        return self.at(push, found.size)

    def at(self, push: Push, dose: float) -> Moved:
        """The push at this dose, on the questions that count."""
        return self._moved(self._run(push, self.measured, dose), self.measured, dose)

    def reach(self, push: Push, name: str = "") -> float:
        """How far a control can move answers at all: in nats, for a dose beyond all sense."""
        places = range(self._kept_out)
        logits = self._once(f"{name} at most", lambda: self._run(push, places, FARTHEST), bool(name))
        return float(divergence(self._plain(places), logits).mean())

    def control(self, push: Push, kl: float, name: str = "") -> Moved:
        """A control at this divergence; one that has a name is measured once, on all questions that may count."""
        places = range(self._kept_out, len(self.asked.stimuli)) if name else self.measured

        def measure() -> Tensor:
            found = dose_for(lambda size: self._kl(push, size, self._kept_out), kl, START, FARTHEST)
            return self._run(push, places, found.size)

        return self._moved(self._once(f"{name} {kl:.3g}", measure, bool(name)), places, np.nan)

    @property
    def _kept_out(self) -> int:
        """Questions before the first that counts, as many as controls need."""
        return min(KEPT_OUT, min(self.measured))

    def _once(self, name: str, measure: Callable[[], Tensor], shared: bool) -> Tensor:
        """What is shared is measured once for the site, and charged to nobody."""
        if not shared:
            return measure()
        kept = self.context.memory.logits
        key = f"{name} | {' '.join(stimulus.key for stimulus in self.asked.stimuli)}"
        if key not in kept:
            with self.context.shared():
                kept[key] = measure()
        return kept[key]

    def _kl(self, push: Push, dose: float, first: int) -> float:
        """Mean divergence on the first questions."""
        places = range(min(first, len(self.asked.stimuli)))
        return float(divergence(self._plain(places), self._run(push, places, dose)).mean())

    def _plain(self, places: Sequence[int]) -> Tensor:
        return logits_of(self.context, "plain", self.asked.stimuli)[list(places)]

    def _run(self, push: Push, places: Sequence[int], dose: float) -> Tensor:
        stimuli = [self.asked.stimuli[place] for place in places]
        return run(self.context, stimuli, push.rows(places, dose))

    def _moved(self, logits: Tensor, places: Sequence[int], dose: float) -> Moved:
        """What the rows that count say beside untouched ones."""
        pushed = logits[[list(places).index(place) for place in self.measured]]
        chosen, plain = self.asked.take(self.measured), self._plain(self.measured)
        return Moved(
            lead(pushed, chosen) - lead(plain, chosen),
            says(pushed, chosen) - says(plain, chosen),
            divergence(plain, pushed),
            dose,
        )
