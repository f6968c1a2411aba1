"""Budgets: how many calls, forward rows and seconds a component may cost.

Spent in the tool layer, never by planners.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from store.errors import MaieuticError

CALLS = 80
"""Tool calls that one component may cost unless somebody says otherwise."""


class BudgetReached(MaieuticError):
    """The budget does not allow another call; what is known so far can still be concluded."""

    exit_code = 4


@dataclass
class Budget:
    """Limits (None: none) and what has been spent. `forwards` counts rows that go through the model."""

    calls: int | None = None
    forwards: int | None = None
    seconds: float | None = None
    spent_calls: int = 0
    spent_forwards: int = 0
    started: float = field(default_factory=time.monotonic)

    def check(self) -> None:
        """Raises BudgetReached when one of the limits is reached."""
        for name, limit, spent in (
            ("calls", self.calls, self.spent_calls),
            ("forwards", self.forwards, self.spent_forwards),
            ("seconds", self.seconds, time.monotonic() - self.started),
        ):
            if limit is not None and spent >= limit:
                raise BudgetReached(
                    f"the budget of {limit} {name} is spent", kind="budget", hint=f"raise `--max-{name}`"
                )

    def charge(self, calls: int, forwards: int) -> None:
        self.spent_calls += calls
        self.spent_forwards += forwards

    @property
    def low(self) -> bool:
        """Whether less than a fifth of any limit is left: time to conclude."""
        used = [
            spent / limit
            for limit, spent in (
                (self.calls, self.spent_calls),
                (self.forwards, self.spent_forwards),
                (self.seconds, time.monotonic() - self.started),
            )
            if limit
        ]
        return any(share > 0.8 for share in used)
