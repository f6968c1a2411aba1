"""The kinds of function units, and what is known of each one: words for its truth, and how strongly it says them.

Knows names alone; responses.py knows what a unit makes of a scene, drawing.py which units there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from store.address import Address

Kind = Literal[
    "single",
    "and",
    "or",
    "and_not",
    "gated",
    "two_faced",
    "exception",
    "count",
    "xor",
    "noise",
    "dead",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
SPEECHLESS: tuple[Kind, ...] = ("noise", "dead")
"""Kinds of which nothing true can be said."""
OUTSIDE: tuple[Kind, ...] = ("count", "xor")
"""Kinds that lie outside the planner's own grammar, and are reported apart."""
COUNTED = "at least two "
"""How the concept of a `count` unit begins; the name of things in the plural follows."""


@dataclass(frozen=True, slots=True)
class FunctionUnit:
    """`concept` is empty for noise and dead units; `peak` is in the unit's own, arbitrary measure.

    `exception` is a phrase ("striped thing") or one of PLACES: things that the concept names and the unit passes
    over. `weaker` is how strongly, as a share, a `two_faced` unit answers to the second of its concepts.
    """

    address: Address
    kind: Kind
    concept: str
    peak: float
    seed: int
    exception: str = ""
    weaker: float = 1.0
