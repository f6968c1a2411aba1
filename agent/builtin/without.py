"""Parts of the built-in planner that can be taken away, to see what each of them adds.

Knows their names, and how a planner's name says which are missing, so that a resumed run goes on the same way. What it
means to lack a part is said where the part would do its work (method.py, variants.py).
"""

from __future__ import annotations

from typing import Literal, get_args

from store.errors import UsageError

Part = Literal["pairs", "leads", "facets", "causal"]
"""`pairs`: pictures that differ in one thing, made to break the favorite. `leads`: asking what a favorite leaves open,
and the variants that follow. `facets`: second things, joined with the best phrase or found among what it misses.
`causal`: life without the component, and what it writes."""
PARTS: tuple[Part, ...] = get_args(Part)
Without = frozenset[Part]
WHOLE: Without = frozenset()
BUILTIN = "builtin"
LACKS = "no-"


def named(without: Without) -> str:
    """What a planner without these parts is called: `builtin`, `builtin:no-pairs,no-causal`."""
    told = ",".join(f"{LACKS}{part}" for part in PARTS if part in without)
    return f"{BUILTIN}:{told}" if told else BUILTIN


def without_of(name: str) -> Without:
    """The parts that the planner of this name lacks. Raises UsageError for a name that `named` does not give."""
    kind, _, told = name.partition(":")
    words = frozenset(told.split(",")) if told else frozenset()
    missing: Without = frozenset(part for part in PARTS if f"{LACKS}{part}" in words)
    if kind != BUILTIN or len(missing) != len(words):
        ways = ", ".join(f"`{LACKS}{part}`" for part in PARTS)
        raise UsageError(
            f"`{name}` is no built-in planner",
            kind="planner",
            hint=f"give `{BUILTIN}`, or what it shall lack after a colon, joined by commas: {ways}",
        )
    return missing


def parts_in(words: str) -> Without:
    """The parts that `pairs+leads` names. Raises UsageError for other words."""
    told = words.split("+")
    found: Without = frozenset(part for part in PARTS if part in told)
    if len(found) != len(told):
        raise UsageError(
            f"`{words}` is no part of the built-in planner",
            kind="part",
            hint=f"name {', '.join(f'`{part}`' for part in PARTS)}, several at once joined by `+`",
        )
    return found
