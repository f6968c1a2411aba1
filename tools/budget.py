"""Budgets: how many calls, forward rows and seconds a component may cost, and what language models may cost.

Calls and rows are spent in the tool layer, never by planners. Tokens and money are spent where a request is made, out
of two purses: the component's own and the run's, which all its components share. Whoever pays may have each payment
written down (`Payer.keep`), so that a resumed run owes what the one before it has paid.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from store.errors import MaieuticError
from store.views import Payment
from tools.purse import Purse

CALLS = 80
"""Tool calls that one component may cost unless somebody says otherwise."""

REVISIONS = 3
"""Times that a conclusion may be sent back unless somebody says otherwise."""

TIMEOUT, RETRIES = 120.0, 4
"""Seconds that an endpoint may be silent, and times that it is asked again, unless somebody says otherwise."""


class BudgetReached(MaieuticError):
    """The budget does not allow another call; what is known so far can still be concluded."""

    exit_code = 4


@dataclass
class Budget:
    """Limits (None: none) and what has been spent. `forwards` counts rows that go through the model.

    `own` is the component's purse, `shared` the run's.
    """

    calls: int | None = None
    forwards: int | None = None
    seconds: float | None = None
    spent_calls: int = 0
    spent_forwards: int = 0
    started: float = field(default_factory=time.monotonic)
    own: Purse = field(default_factory=Purse)
    shared: Purse = field(default_factory=Purse)

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

    async def admit(self) -> None:
        """Waits until a request to a language model may be made. Raises BudgetReached when a purse is empty.

        Every request that was let in ends with `pay`.
        """
        entered: list[Purse] = []
        for purse in (self.shared, self.own):
            if not purse.empty:
                await purse.enter()
                entered.append(purse)
            if told := purse.empty:
                for one in entered:
                    one.leave()
                raise BudgetReached(told, kind="budget", hint="raise `--max-tokens` or `--max-money`")

    def pay(self, tokens: int, money: float | None, requests: int = 1) -> None:
        """Ends a request that was let in, and takes what it cost from both purses (money None: nobody knows)."""
        for purse in (self.own, self.shared):
            purse.pay(tokens, money, requests)
            purse.leave()

    @property
    def low(self) -> bool:
        """Whether less than a fifth of any limit is left, or too little for two requests: time to conclude."""
        used = [
            spent / limit
            for limit, spent in (
                (self.calls, self.spent_calls),
                (self.forwards, self.spent_forwards),
                (self.seconds, time.monotonic() - self.started),
            )
            if limit
        ]
        return any(share > 0.8 for share in used) or self.own.low or self.shared.low


@dataclass(frozen=True)
class Payer:
    """Who pays for requests: a budget, and `keep`, which has written a payment down when it returns."""

    budget: Budget
    keep: Callable[[Payment], None] = lambda _: None

    async def admit(self) -> None:
        """As Budget.admit."""
        await self.budget.admit()

    def pay(self, payment: Payment) -> None:
        """Ends a request that was let in. A payment for no request is none, and not kept."""
        try:
            if payment.requests:
                self.keep(payment)
        finally:
            self.budget.pay(payment.tokens, payment.money, payment.requests)


PAYING: ContextVar[Payer | None] = ContextVar("PAYING", default=None)
"""Who pays for the requests that are made now; None where nobody counts."""


@contextmanager
def paying(payer: Payer) -> Iterator[None]:
    """Requests that are made inside are paid by `payer`."""
    token = PAYING.set(payer)
    try:
        yield
    finally:
        PAYING.reset(token)
