"""What a machine and a model can do wrong, at the true boundary: torch's modules, the process's limits, its clock.

In this process a fault is a hook on torch's modules, or a method of a model's own class. Where it must meet a whole
process (a kill, a full disk, a clock), that process is prepared by a few lines before the command begins. A fault is
armed while the language model is asked about the component that it meets. Knows nothing about what becomes of a
run.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from subprocess import Popen
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers.models.clip.modeling_clip import CLIPMLP

from experiments.driving import INTERRUPTED
from experiments.faults.trial import HIT, PATIENCE

LAYER = 3
"""The layer of the vision tower in which the component that is met lies; it is the first neuron there."""
LID = 3.0
"""Seconds for which a lid is closed."""
DISK = 2**16
"""Bytes that a store may still grow by on a full disk."""
YEAR = 365 * 86_400.0


@dataclass
class Armed:
    """Whether the time for a fault has come, and how often it was met."""

    now: threading.Event = field(default_factory=threading.Event)
    met: int = 0

    def meet(self) -> bool:
        self.met += self.now.is_set()
        return self.now.is_set()


Inside = Callable[[Armed], Any]
"""A block, as long as which the fault may be met in this process."""


@dataclass(frozen=True)
class MachineFault:
    """`inside` for this process, or `prelude` for another one, in which `strike` comes when the fault is armed.

    `strike` says whether the process was found struck; a prelude that names MARK writes there when its fault is met.
    `later` prepares the process that resumes. `ends` are components that the fault ends for good, by their status;
    `cold` that nothing is measured yet.
    """

    name: str
    injected: str
    inside: Inside | None = None
    prelude: str = ""
    later: str = ""
    strike: Callable[[Popen[str]], bool] | None = None
    ends: tuple[str, ...] = ()
    cold: bool = False
    group: str = "machine"


@contextmanager
def linear(spoil: Callable[[nn.Module, torch.Tensor], Any]) -> Iterator[None]:
    """What every linear map gives goes through `spoil` first."""

    def after(module: nn.Module, _: Any, output: Any) -> Any:
        return spoil(module, output) if isinstance(module, nn.Linear) else None

    handle = nn.modules.module.register_module_forward_hook(after)
    try:
        yield
    finally:
        handle.remove()


def raising(error: Callable[[], object]) -> Inside:
    """Once armed, every linear map does what raises the error."""
    return lambda armed: linear(lambda *_: error() if armed.meet() else None)


def no_memory() -> None:
    """What torch says when an allocation fails, by one that does: a petabyte."""
    torch.empty(1 << 50, dtype=torch.uint8)


def no_memory_at_all() -> None:
    """The same of Python's own."""
    bytearray(1 << 62)


def lost() -> None:
    raise RuntimeError("CUDA error: device-side assert triggered\nCUDA kernel errors might be reported later")


@contextmanager
def broken_neuron(value: float, armed: Armed) -> Iterator[None]:
    """The first neuron of a layer has this value, always."""
    order: list[nn.Module] = []

    def before(module: nn.Module, _: Any) -> None:
        if isinstance(module, CLIPMLP) and module not in order:
            order.append(module)

    def spoil(module: nn.Module, output: torch.Tensor) -> torch.Tensor | None:
        if len(order) <= LAYER or module is not order[LAYER].fc1:
            return None
        armed.met += 1
        output[..., 0] = value
        return output

    handle = nn.modules.module.register_module_forward_pre_hook(before)
    try:
        with linear(spoil):
            yield
    finally:
        handle.remove()


@contextmanager
def passed_by(armed: Armed) -> Iterator[None]:
    """Once armed, the vision tower's MLPs compute their last map without running its module."""
    whole = CLIPMLP.forward

    def without(self: CLIPMLP, hidden_states: torch.Tensor) -> torch.Tensor:
        if not armed.meet():
            return whole(self, hidden_states)
        inner = self.activation_fn(self.fc1(hidden_states))
        return functional.linear(inner, self.fc2.weight, self.fc2.bias)

    setattr(CLIPMLP, "forward", without)  # noqa: B010  # a method of a class that is not ours
    try:
        yield
    finally:
        setattr(CLIPMLP, "forward", whole)  # noqa: B010


@contextmanager
def passed_by_always(armed: Armed) -> Iterator[None]:
    armed.now.set()
    with passed_by(armed):
        yield


def killed(process: Popen[str]) -> bool:
    process.send_signal(signal.SIGKILL)
    return process.wait(PATIENCE) == -signal.SIGKILL


def interrupted(process: Popen[str]) -> bool:
    process.send_signal(signal.SIGINT)
    return process.wait(PATIENCE) == INTERRUPTED


def slept(process: Popen[str]) -> bool:
    process.send_signal(signal.SIGSTOP)
    if process.returncode is not None:
        return False
    found = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    time.sleep(LID)
    process.send_signal(signal.SIGCONT)
    return found is not None and found.si_code == os.CLD_STOPPED


ROOM, MARK = "{room}", "{mark}"
"""What a prelude is told: how large a file may grow, in bytes, and where to write that its fault was met."""
HEARD = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
"""
"""A process that a shell began in the background would not hear an interruption."""
SMALL = """
import pathlib, resource, signal
resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))
signal.signal(signal.SIGXFSZ, lambda *_: pathlib.Path({mark}).write_text("full"))
"""
CLOCK = """
import datetime, pathlib, time
def shifted(real, scale, ahead=AHEAD, calls=[0]):
    def now():
        calls[0] += 1
        if calls[0] == 25:
            pathlib.Path({mark}).write_text("jumped back")
        return real() + int(ahead * scale) * (1 if calls[0] % 50 < 25 else -1)
    return now
time.time, time.time_ns = shifted(time.time, 1), shifted(time.time_ns, 10**9)
class Shifted(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)
datetime.datetime = Shifted
"""
"""A wall clock that jumps to and fro by AHEAD seconds."""

FAULTS: tuple[MachineFault, ...] = (
    MachineFault("kill", "SIGKILL amid the second component", strike=killed, prelude="pass"),
    MachineFault("an interruption", "SIGINT amid the second component", strike=interrupted, prelude=HEARD),
    MachineFault("a laptop's lid", f"SIGSTOP for {LID:.0f} s, then SIGCONT", strike=slept, prelude="pass"),
    MachineFault("a full disk", "RLIMIT_FSIZE a little above the store's size", prelude=SMALL),
    MachineFault(
        "clock jumps",
        "the process's wall clock jumps by years to and fro and is killed; the next life's is years behind",
        prelude=CLOCK.replace("AHEAD", str(3 * YEAR)),
        later=CLOCK.replace("AHEAD", str(-9 * YEAR)),
        strike=killed,
    ),
    MachineFault(
        "out of memory: torch", "an allocation of a petabyte in a forward pass", inside=raising(no_memory)
    ),
    MachineFault(
        "out of memory: Python", "an allocation that Python refuses", inside=raising(no_memory_at_all)
    ),
    MachineFault(
        "a lost accelerator", "`CUDA error: device-side assert` from a forward hook", inside=raising(lost)
    ),
    MachineFault(
        "NaN activations",
        f"a forward hook makes `{HIT}` NaN",
        inside=lambda armed: broken_neuron(float("nan"), armed),
        ends=("abstained",),
        cold=True,
        group="model",
    ),
    MachineFault(
        "infinite activations",
        f"a forward hook makes `{HIT}` infinite",
        inside=lambda armed: broken_neuron(float("inf"), armed),
        ends=("abstained",),
        cold=True,
        group="model",
    ),
    MachineFault(
        "a hook that never fires",
        "the vision tower's MLPs compute without their last module, amid the second component",
        inside=passed_by,
        ends=("failed",),
        group="model",
    ),
    MachineFault(
        "a hook that never fires, from the start",
        "the same, before anything is measured",
        inside=passed_by_always,
        cold=True,
        group="model",
    ),
)
