"""Which labels of a bench a person is shown, right and wrong ones, and what is right or wrong about each.

Pure functions of what was found: kinds take turns, chance draws within a kind. Pictures come from exhibits.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from experiments.bench.found import Found
from experiments.bench.matching import meaning, named
from experiments.bench.report import DESCRIBED, SILENT
from store.errors import UserError
from tools.scoring.concept import read
from tools.scoring.plain import describe
from tools.scoring.tree import Concept, occurrences

RIGHT, WRONG = 24, 12
"""Examples of each that a person can judge in two minutes."""
RULED_OUT = "not "


def judged(found: Sequence[Found]) -> list[Found]:
    """Those whose label is right or wrong: there is a truth, or it is known that there is none."""
    return [one for one in found if one.truth.kind in (*DESCRIBED, *SILENT)]


def is_right(one: Found) -> bool:
    """The very concept was said; nothing was verified of a unit about which nothing is true."""
    return not one.verified if one.truth.kind in SILENT else one.match.exact


def drawn(found: Sequence[Found], most: int, seed: int) -> list[Found]:
    """At most so many: one of each kind in turn, and of a kind whichever chance draws first."""
    chance = np.random.default_rng([seed, 2412])
    by_kind = [[one for one in found if one.truth.kind == kind] for kind in (*DESCRIBED, *SILENT)]
    shuffled = [[units[i] for i in chance.permutation(len(units))] for units in by_kind]
    turns = (units[turn] for turn in range(len(found)) for units in shuffled if turn < len(units))
    return [one for _, one in zip(range(most), turns, strict=False)]


def why(one: Found) -> str:
    """What is right about a label, or which part of the truth is missing and what was said too much."""
    truth, said = one.truth, one.description.concept
    if truth.kind in SILENT:
        return _of_nothing(one)
    if not said:
        return "Nothing was said."
    if one.match.exact:
        return "All of it was said, and nothing else."
    missing, extra = list(_beyond(truth.concept, said)), list(_beyond(said, truth.concept))
    if one.named_exception:
        extra = [phrase for phrase in extra if not phrase.startswith(RULED_OUT)]
    elif truth.exception:
        missing.append(f"except {truth.exception}")
    told = [
        f"{what}: {', '.join(parts)}" for what, parts in (("Missing", missing), ("too much", extra)) if parts
    ]
    return ("; ".join(told) or "The same things, joined in another way") + "."


def in_words(concept: str) -> str:
    """A concept as it stands in a sentence; as it is written where it can't be read."""
    try:
        return describe(concept, numbers=True) if concept else ""
    except UserError:
        return concept


def truth_in_words(one: Found) -> str:
    truth = one.truth
    if truth.weaker is not None:
        first, second = truth.concept.split(" | ")
        return f"{in_words(first)}, and {truth.weaker:g} times as much {in_words(second)}"
    return in_words(truth.concept) + (f", except {truth.exception}" if truth.exception else "")


def _of_nothing(one: Found) -> str:
    if one.verified:
        return "It stands for nothing, and words were verified all the same."
    return "It stands for nothing, and " + (
        "nothing was verified." if one.description.concept else "nothing was said."
    )


def _beyond(concept: str, other: str) -> Iterator[str]:
    """Phrases of a concept that the other does not name with the same sign, in words."""
    known = named(other) if _read(other) is not None else set()
    tree = _read(concept)
    told = dict.fromkeys(occurrences(tree)) if tree is not None else {}
    for one in told:
        if (meaning(one.words), one.positive) not in known:
            yield one.words if one.positive else f"{RULED_OUT}{one.words}"


def _read(concept: str) -> Concept | None:
    try:
        return read(concept)
    except UserError:
        return None
