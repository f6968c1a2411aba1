"""How much a program may take. Every number of the sandbox stands here, and nowhere else.

Knows numbers; knows nothing about who keeps to them: the interpreter (time, memory, depth, calls), the process around
it (keeper.py), or the one that began both (processes.py).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """`seconds` are those that a program computes itself, tools not counted; `grace` is how much longer the process
    around it waits, and `patience` how much longer the one that began that, before each kills the other: on a busy
    machine much of it goes into beginning both and checking types. `memory` is
    of the program's values, `address_space` of the whole process, in bytes. `printed`, `source` and `told` are
    characters, `argument` the characters and values of one call's arguments, `nesting` the depth of lists in them."""

    seconds: float = 3.0
    grace: float = 1.0
    patience: float = 20.0
    memory: int = 64 * 2**20
    address_space: int = 2 * 2**30
    depth: int = 200
    calls: int = 40
    lookups: int = 400
    printed: int = 4_000
    source: int = 20_000
    told: int = 600
    argument: int = 10_000
    nesting: int = 8


BOUNDS = Bounds()
AT_ONCE = 8
"""Programs that run side by side in one process; others wait."""
