"""Memory that turns out too small, and devices that go: rows that don't fit together run in halves, down to one.

Knows the errors by which torch says so; knows nothing about rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch

from store.errors import UserError
from tools.engine.budget import Room, too_large
from tools.engine.hooks import HookDidNotFire

T = TypeVar("T")
SHORTAGE = ("can't allocate memory", "out of memory")
"""What torch's errors say where there is no class for them, as on a CPU."""
LOST = ("CUDA error", "CUDA driver error", "cuDNN error", "CUBLAS_STATUS", "HIP error", "MPS backend")
"""What they say of a device that can't go on in this process."""


def as_many_as_fit(run: Callable[[Sequence[T]], None], rows: Sequence[T], room: Room | None = None) -> None:
    """Runs all rows together, or where they don't fit each half of them in turn.

    Raises UserError of kind "memory" where not even one row fits, with what was asked for, and with what a row takes
    where its `room` is known.
    """
    try:
        run(rows)
        return
    except RuntimeError as error:
        if not is_shortage(error):
            raise
        if len(rows) == 1 and room:
            raise too_large(room.need, room.free, _asked(error)) from error
        if len(rows) == 1:
            raise UserError(
                f"one row alone does not fit into the device's memory: {_asked(error)}",
                kind="memory",
                hint="give `--dtype bfloat16`, a device with more memory, or smaller pictures",
            ) from error
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    half = len(rows) // 2
    as_many_as_fit(run, rows[:half], room)
    as_many_as_fit(run, rows[half:], room)


@contextmanager
def device_told() -> Iterator[None]:
    """Turns what torch says of a lack of memory, or of a device that is lost, into a UserError, and a model that is not
    passed as it should be: none is a mistake of any one component, and another process may go on."""
    try:
        yield
    except HookDidNotFire as error:
        raise UserError(
            f"the model runs in another way than its adapter knows: {error}",
            kind="hook",
            hint="install the versions that were tested together (`constraints.txt`)",
        ) from error
    except MemoryError as error:
        raise _no_memory("the machine's memory is full") from error
    except RuntimeError as error:
        if is_shortage(error):
            raise _no_memory(f"the device's memory is full: {_asked(error)}") from error
        if is_lost(error):
            raise UserError(
                f"the device that the model runs on went away: {_asked(error)}",
                kind="device",
                hint="nothing that was acknowledged is lost; see that the device works, or give `--device cpu`",
            ) from error
        raise


def is_lost(error: RuntimeError) -> bool:
    """Whether torch's device can't go on."""
    return any(sign in str(error) for sign in LOST)


def _no_memory(what: str) -> UserError:
    return UserError(
        what,
        kind="memory",
        hint="end what else fills it, or give `--dtype bfloat16`, a device with more memory, or smaller pictures",
    )


def is_shortage(error: RuntimeError) -> bool:
    """Whether torch had no memory left."""
    return isinstance(error, torch.OutOfMemoryError) or any(sign in str(error) for sign in SHORTAGE)


def _asked(error: RuntimeError) -> str:
    return str(error).strip().splitlines()[0][:200]
