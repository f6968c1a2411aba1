"""A purse: how many tokens and how much money language models may cost, and what they have cost.

One purse may serve many threads at once. Requests are let in so that a limit is overrun by one request at most: while
much is left they run side by side, near the end one by one. Knows nothing about what is asked, or of whom.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from threading import Lock

ROOM = 4.0
"""So many times the largest request so far is set aside for each one that runs beside others."""
LAST = 2.0
"""Requests as large as the largest so far, of each thread, that have to fit in: one to go on, one to conclude."""
NEARLY = 0.8
"""Share of a limit from which on it is time to conclude."""
PATIENCE = 0.02
"""Seconds between two looks at whether there is room."""


@dataclass
class Purse:
    """Limits (None: none) and what was spent; `unknown` counts requests whose price nobody knows.

    `threads` are those that share it, each of which wants to conclude.
    """

    tokens: int | None = None
    money: float | None = None
    threads: int = 1
    spent_tokens: int = 0
    spent_money: float = 0.0
    requests: int = 0
    unknown: int = 0
    _largest: list[float] = field(default_factory=lambda: [0.0, 0.0])
    _under_way: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False)

    @property
    def empty(self) -> str:
        """Which limit is reached, as a sentence; "" while none is."""
        for name, limit, spent, _ in self._limits():
            if spent >= limit:
                return f"the budget of {limit:,.6g} {name} is spent"
        return ""

    @property
    def low(self) -> bool:
        """Whether a fifth is left at most, or too little for every thread to go on and to conclude."""
        return any(
            spent > NEARLY * limit or (largest > 0 and limit - spent < LAST * self.threads * largest)
            for _, limit, spent, largest in self._limits()
        )

    def left(self) -> tuple[int | None, float | None]:
        """Tokens and money that are left; None where there is no limit."""
        return (
            None if self.tokens is None else max(0, self.tokens - self.spent_tokens),
            None if self.money is None else max(0.0, self.money - self.spent_money),
        )

    def pay(self, tokens: int, money: float | None, requests: int = 1) -> None:
        """Takes what requests cost; money None: nobody knows."""
        with self._lock:
            self.spent_tokens += tokens
            self.spent_money += money or 0.0
            self.requests += requests
            self.unknown += requests if money is None else 0
            for place, cost in enumerate((tokens, money or 0.0)):
                self._largest[place] = max(self._largest[place], cost / max(1, requests))

    async def enter(self) -> None:
        """Waits until a request may run beside those under way. Whoever enters leaves."""
        while not self._entered():
            await asyncio.sleep(PATIENCE)

    def leave(self) -> None:
        with self._lock:
            self._under_way = max(0, self._under_way - 1)

    def _entered(self) -> bool:
        with self._lock:
            beside = self._under_way > 0 and not all(
                largest > 0 and spent + (self._under_way + 1) * ROOM * largest <= limit
                for _, limit, spent, largest in self._limits()
            )
            self._under_way += 0 if beside else 1
            return not beside

    def _limits(self) -> list[tuple[str, float, float, float]]:
        """Name, limit, what is spent, and the largest request: of each limit that there is."""
        both = (
            ("tokens", self.tokens, self.spent_tokens, self._largest[0]),
            ("money", self.money, self.spent_money, self._largest[1]),
        )
        return [
            (name, float(limit), float(spent), largest)
            for name, limit, spent, largest in both
            if limit is not None
        ]
