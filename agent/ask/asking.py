"""Asking: what a question may measure with, its experiments so far, and the store before the model.

Every measurement is a call through the one door, in the thread `question` of the run; what the store holds already (the
same call on the same weights and pictures, by the same code and seed) is cited and not measured again. Knows nothing
about any kind of question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from agent.thread import quantities
from store.recorder import QUESTION, Turn
from store.records import Experiment, Quantity
from tools import door
from tools.context import ToolContext

if TYPE_CHECKING:
    from store.database import Store

WORLD = ("images", "judge", "editor", "dtype")
"""Words of a run that say what it was shown, and by whom judged."""


@dataclass
class Asking:
    """`world` are the run's words for its pictures; `opened` gives what tools work with, when a tool is called first.
    `made` counts experiments that were measured for this question, `found` those that the store held."""

    store: Store
    fingerprint: str
    opened: Callable[[], ToolContext]
    run: str
    world: Mapping[str, Any]
    experiments: dict[int, Experiment] = field(default_factory=dict)
    made: int = 0
    found: int = 0

    @cached_property
    def context(self) -> ToolContext:
        return self.opened()

    def measure(self, tool: str, **arguments: Any) -> Experiment:
        """Raises PlannerError for arguments that do not fit, and BudgetReached when the budget is spent."""
        _, checked = door.check(tool, arguments)
        words = checked.model_dump(mode="json")
        experiment = self._known(tool, words)
        if experiment is None:
            turn = Turn(self.run, QUESTION, self.made, 0)
            experiment = door.call(self.context, turn, tool, words)
            self.made += 1
        else:
            self.found += 1
        return self.cite(experiment)

    def cite(self, experiment: Experiment) -> Experiment:
        """An experiment that the answer may lean on from now on."""
        self.experiments[experiment.number] = experiment
        return experiment

    def _known(self, tool: str, words: Mapping[str, Any]) -> Experiment | None:
        context = self.context
        alike = self.store.queries.alike(tool, self.fingerprint, context.seed, door.code_version())
        for experiment, asked in alike:
            if experiment.arguments == words and all(
                (asked.get(name) or "") == (self.world.get(name) or "") for name in WORLD
            ):
                return experiment
        return None


def quantity(experiment: Experiment, name: str) -> Quantity:
    """A number of an experiment by its name. Raises KeyError for one that it does not have."""
    return quantities(experiment)[name]
