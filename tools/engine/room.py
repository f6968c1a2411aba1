"""Memory that turns out too small: rows that don't fit together run in halves, down to one.

Knows the errors by which torch says so; knows nothing about rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from store.errors import UserError

T = TypeVar("T")
SHORTAGE = ("can't allocate memory", "out of memory")
"""What torch's errors say where there is no class for them, as on a CPU."""


def as_many_as_fit(run: Callable[[Sequence[T]], None], rows: Sequence[T]) -> None:
    """Runs all rows together, or where they don't fit each half of them in turn.

    Raises UserError of kind "memory" where not even one row fits, with what was asked for.
    """
    try:
        run(rows)
        return
    except RuntimeError as error:
        if not is_shortage(error):
            raise
        if len(rows) == 1:
            raise UserError(
                f"one row alone does not fit into the device's memory: {_asked(error)}",
                kind="memory",
                hint="give `--dtype bfloat16`, a device with more memory, or smaller pictures",
            ) from error
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    half = len(rows) // 2
    as_many_as_fit(run, rows[:half])
    as_many_as_fit(run, rows[half:])


def is_shortage(error: RuntimeError) -> bool:
    """Whether torch had no memory left."""
    return isinstance(error, torch.OutOfMemoryError) or any(sign in str(error) for sign in SHORTAGE)


def _asked(error: RuntimeError) -> str:
    return str(error).strip().splitlines()[0][:200]
