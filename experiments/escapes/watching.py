"""What an attempt took of this machine: seconds of its own, memory of every process it had, processes it left behind.

Knows /proc; on a machine without it memory and processes are not watched, and said to be unknown (None).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
EVERY = 0.1
"""Seconds between two looks."""
DYING = 2.0
"""Seconds that a killed process may take to be gone; one that is there longer was left behind."""
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass
class Taken:
    """`seconds` on the wall, `asked` those of them in which we answered; `memory` in bytes, at most at one time."""

    seconds: float = 0.0
    asked: float = 0.0
    memory: int | None = None
    left: int | None = None

    @property
    def own(self) -> float:
        return self.seconds - self.asked


@contextmanager
def watched() -> Iterator[Taken]:
    """Watches what runs inside; the numbers are complete afterwards."""
    taken, over, seen = Taken(), threading.Event(), dict[int, str]()
    before = set(descendants())

    def look() -> None:
        while not over.wait(EVERY):
            now = set(descendants()) - before
            seen.update((pid, born(pid)) for pid in now - set(seen))
            taken.memory = max(taken.memory or 0, sum(map(resident, now)))

    watch = threading.Thread(target=look, daemon=True)
    began = time.monotonic()
    if PROC.is_dir():
        watch.start()
    try:
        yield taken
    finally:
        taken.seconds = time.monotonic() - began
        over.set()
        if PROC.is_dir():
            watch.join()
            taken.memory = taken.memory or 0
            seen.update((pid, born(pid)) for pid in set(descendants()) - before - set(seen))
            taken.left = still_there(seen)


def still_there(seen: Mapping[int, str]) -> int:
    """How many of these processes, told by their births, outlive DYING."""
    until = time.monotonic() + DYING
    while True:
        left = sum(1 for pid, birth in seen.items() if birth and born(pid) == birth)
        if not left or time.monotonic() > until:
            return left
        time.sleep(EVERY)


def descendants() -> list[int]:
    """Living processes that this one began, or that they began."""
    found, fresh = set[int](), children(os.getpid())
    while fresh:
        found |= fresh
        fresh = set().union(*map(children, fresh)) - found
    return sorted(found)


def children(pid: int) -> set[int]:
    """Processes that one began and that are still there; none where it is gone itself."""
    found: set[int] = set()
    for tasks in (PROC / str(pid) / "task").glob("*/children"):
        with suppress(OSError):
            found |= {int(child) for child in tasks.read_text().split()}
    return set(filter(born, found))


def born(pid: int) -> str:
    """When a running process began, in ticks since the machine did: its number may be given again, that moment not.

    Empty for one that is gone, or has ended and waits to be counted.
    """
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    except (OSError, IndexError):
        return ""


def resident(pid: int) -> int:
    """Bytes of memory that a process holds; 0 for one that is gone, or is still our copy on its way to a program."""
    try:
        if words(pid) == words(os.getpid()):
            return 0
        return int((PROC / str(pid) / "statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def words(pid: int) -> bytes:
    """The command line that began a process."""
    return (PROC / str(pid) / "cmdline").read_bytes()
