"""Counting rows: how many go through a target's model for whoever is at work.

A call counts its own rows whatever runs beside it, since a meter belongs to the context that reads it. Knows nothing
about who pays.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Meter:
    """Rows that have gone through a model, padding and what is made once for all left out."""

    rows: int = 0


_METER: ContextVar[Meter | None] = ContextVar("METER", default=None)


def count(rows: int) -> None:
    """So many rows went through for whoever is at work; nobody may be counting."""
    meter = _METER.get()
    if meter is not None:
        meter.rows += rows


@contextmanager
def metered() -> Iterator[Meter]:
    """Counts what runs inside, and nothing of it outside."""
    meter = Meter()
    before = _METER.set(meter)
    try:
        yield meter
    finally:
        _METER.reset(before)
