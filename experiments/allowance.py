"""What a labelling run may cost: its components one by one, and language models altogether.

Knows budgets and purses, and that a resumed run has paid already; knows nothing about what the money buys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from agent.graph import USUAL_SANDBOX
from agent.programs.sandbox import Sandbox
from agent.state import Limits
from store.views import Payment
from tools.budget import CALLS, REVISIONS, Budget
from tools.purse import Purse

LIMITS = ("calls", "forwards", "seconds", "tokens", "money", "tokens_each", "money_each")


@dataclass(frozen=True)
class Allowance:
    """What one component may cost (None: no limit), and how many components are worked on at once.

    `tokens` and `money` are what language models may cost the whole run, `tokens_each` and `money_each` a component.
    `programs` says whether a planner may write any.
    """

    calls: int | None = CALLS
    forwards: int | None = None
    seconds: float | None = None
    jobs: int = 1
    limits: Limits = field(default_factory=Limits)
    tokens: int | None = None
    money: float | None = None
    tokens_each: int | None = None
    money_each: float | None = None
    programs: bool = True

    @classmethod
    def of(cls, words: Mapping[str, Any], jobs: int = 1) -> Self:
        """What the words of a command or run allow, in which 0 is no limit."""
        told = {name: words.get(name) or None for name in LIMITS}
        limits = Limits(revisions=words.get("revisions", REVISIONS))
        return cls(jobs=jobs, limits=limits, programs=words.get("programs", True), **told)

    def words(self) -> dict[str, Any]:
        """The same as words that a run remembers."""
        told = {name: getattr(self, name) or 0 for name in LIMITS}
        return told | {"revisions": self.limits.revisions, "programs": self.programs}

    @property
    def sandbox(self) -> Sandbox | None:
        """Where programs run; None where there are to be none."""
        return USUAL_SANDBOX if self.programs else None

    def purse(self, paid: Iterable[Payment] = ()) -> Purse:
        """The run's, out of which this is paid already."""
        purse = Purse(self.tokens, self.money, threads=self.jobs)
        for one in paid:
            purse.pay(one.tokens, one.money, one.requests)
        return purse

    def budget(self, shared: Purse | None = None) -> Budget:
        """A component's; what it spends comes out of the run's purse as well, a new one unless it is given."""
        shared = Purse(self.tokens, self.money) if shared is None else shared
        own = Purse(self.tokens_each, self.money_each)
        return Budget(self.calls, self.forwards, self.seconds, own=own, shared=shared)


def short_of(purse: Purse) -> str:
    """Why no further component is begun, or empty."""
    return purse.empty or ("the budget of the run is nearly spent" if purse.low else "")
