"""Reading a forward pass at taps, and ending it as soon as everything has been read.

Knows hooks, and that fused attention never makes a pattern; knows nothing about what is done with the tensors. A tap
whose module did not run is an error, never a missing value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor

from tools.engine.attention import OPEN, Watch, watched
from tools.engine.hooks import HookDidNotFire
from tools.targets.adapter import Tap

Keep = Callable[[int, Tensor], None]
"""Takes the number of a tap and what passed there."""


class _Enough(Exception):
    """Every tap has been read: a signal, not an error."""


def read(taps: Sequence[Tap], forward: Callable[[], object], keep: Keep) -> None:
    """Runs `forward` and calls `keep` at each tap: inputs of neurons' and heads' output maps, and attention patterns.

    Raises HookDidNotFire when a tap's module did not run.
    """
    fired: set[int] = set()

    def took(place: int, tensor: Tensor) -> None:
        keep(place, tensor)
        fired.add(place)
        if len(fired) == len(taps):
            raise _Enough

    with torch.inference_mode(), ExitStack() as undo:
        for place, tap in enumerate(taps):
            undo.enter_context(_hooked(tap, place, took))
        try:
            forward()
        except _Enough:
            return
    missing = next(tap.site for place, tap in enumerate(taps) if place not in fired)
    raise HookDidNotFire(f"the hook at `{missing}` did not fire: its module did not run")


@contextmanager
def _hooked(tap: Tap, place: int, took: Keep) -> Iterator[None]:
    def seen(tensor: Tensor) -> Tensor:
        return tensor if tap.layout is None else tap.layout.seen(tensor)

    with ExitStack() as undo:
        if tap.side == "pattern":
            undo.enter_context(_shown(tap))
            watch = Watch(tap, touch=lambda pattern: took(place, pattern))
            undo.enter_context(watched({tap.module: watch}))
        elif tap.side == "input":
            hook = tap.module.register_forward_pre_hook(lambda _, given: took(place, seen(given[0])))
            undo.callback(hook.remove)
        else:
            raise ValueError(f"`{tap.site}` is not a place where components are read")
        yield


@contextmanager
def _shown(tap: Tap) -> Iterator[None]:
    """Attention in the open, in the whole tower that the tap belongs to: masks follow the same configuration."""
    if tap.open:
        yield
        return
    config: Any = tap.module.config
    before = config._attn_implementation
    config._attn_implementation = OPEN
    try:
        yield
    finally:
        config._attn_implementation = before
