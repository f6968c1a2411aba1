"""A run at a glance: how many components ended how, by site, and the orders in which its table can be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from reports.record import STATUSES, Thread
from store.address import parse
from store.errors import UserError


@dataclass(frozen=True)
class Tally:
    """How components of one site ended. `rho` is the median test score, abstentions and failures counting as 0."""

    site: str
    counts: dict[str, int]
    rho: float | None

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def tally(site: str, threads: Sequence[Thread]) -> Tally:
    counts = Counter(thread.status for thread in threads)
    ended = [thread for thread in threads if thread.status != "pending"]
    scores = [thread.test.value if thread.test else 0.0 for thread in ended]
    scored = any(thread.test for thread in ended)
    return Tally(site, {status: counts[status] for status in STATUSES}, median(scores) if scored else None)


def by_site(threads: Sequence[Thread]) -> list[Tally]:
    """In the order of the components."""
    sites: dict[str, list[Thread]] = {}
    for thread in threads:
        sites.setdefault(site_of(thread.address), []).append(thread)
    return [tally(site, group) for site, group in sites.items()]


def site_of(address: str) -> str:
    try:
        return parse(address).site
    except UserError:
        return address


def orders(threads: Sequence[Thread]) -> dict[str, dict[str, int]]:
    """For each way to sort the table, every component's place in it."""
    keys: dict[str, Callable[[int], Any]] = {
        "address": lambda place: place,
        "score": lambda place: -_score(threads[place]),
        "status": lambda place: STATUSES.index(threads[place].status),
        "label": lambda place: (not threads[place].label, threads[place].label.casefold()),
    }
    return {
        name: {
            threads[place].address: rank for rank, place in enumerate(sorted(range(len(threads)), key=key))
        }
        for name, key in keys.items()
    }


def _score(thread: Thread) -> float:
    return thread.test.value if thread.test else -2.0
