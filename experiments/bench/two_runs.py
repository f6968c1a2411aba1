"""Do two runs say the same of the components that both describe?

Of the components whose words the second run verified, the share of which the first run has verified words that say the
same. Two descriptions say the same when they are of one reading (the same side, at the same tokens) and their concepts
mean one thing (matching.py), or hold in the same pictures: their presences, by one judge, correlate by ALIKE or more.
Where the first run has no verified words the two do not agree; of concepts that the judge can't read only the meaning
counts.
Knows nothing about which run is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from experiments.bench.matching import canonical
from experiments.scoring.protocol import PRIMARY
from experiments.scoring.seal import primary
from store.errors import UserError
from store.records import Description
from store.values import Estimate
from tools.scoring.concept import Column, concept_values
from tools.scoring.correlation import correlations
from tools.scoring.intervals import wilson

ALIKE = 0.8
"""Correlation of two concepts' presences from which on they say the same."""
Verdict = Literal[
    "same concept", "same pictures", "other reading", "other concept", "first not verified", "not verified"
]
SAME: tuple[Verdict, ...] = ("same concept", "same pictures")


@dataclass(frozen=True)
class Both:
    """What two runs say of one component; `alike` is the correlation of the concepts' presences, None where the judge
    can't read one of them or nothing was said."""

    first: Description
    second: Description
    same_meaning: bool
    alike: float | None

    @property
    def one_concept(self) -> bool:
        return self.same_meaning or (self.alike is not None and self.alike >= ALIKE)

    @property
    def verdict(self) -> Verdict:
        if self.second.status != "verified":
            return "not verified"
        if self.first.status != "verified":
            return "first not verified"
        if not self.one_concept:
            return "other concept"
        if self.first.reading != self.second.reading:
            return "other reading"
        return "same concept" if self.same_meaning else "same pictures"

    def as_json(self) -> dict[str, Any]:
        return {
            "component": self.second.component,
            "verdict": self.verdict,
            "alike": None if self.alike is None else round(self.alike, 4),
            **{name: _told(one) for name, one in (("first", self.first), ("second", self.second))},
        }


@dataclass(frozen=True)
class Agreement:
    """Every component that both runs describe, and how many only one of them does."""

    both: tuple[Both, ...]
    only_one: int

    @property
    def agree(self) -> Estimate | None:
        """Of all that the second run verified; None where that is nothing."""
        return _share([one.verdict in SAME for one in self.both if one.verdict != "not verified"])

    @property
    def agree_where_both_verified(self) -> Estimate | None:
        """Leaves out what the first run did not verify."""
        return _share([one.verdict in SAME for one in self._both_verified])

    @property
    def one_concept(self) -> Estimate | None:
        """The same, of whatever side and tokens."""
        return _share([one.one_concept for one in self._both_verified])

    def as_json(self) -> dict[str, Any]:
        shares = {
            "agree": self.agree,
            "agree_where_both_verified": self.agree_where_both_verified,
            "one_concept_where_both_verified": self.one_concept,
        }
        return {
            **{name: share.as_json("rate") if share else None for name, share in shares.items()},
            "alike_from": ALIKE,
            "only_one": self.only_one,
            "components": [one.as_json() for one in self.both],
        }

    @property
    def _both_verified(self) -> list[Both]:
        return [one for one in self.both if one.first.status == one.second.status == "verified"]


def agreement(first: Sequence[Description], second: Sequence[Description], column: Column) -> Agreement:
    """`column` is the presence of a phrase, by one judge in one set of pictures; UserError for one that it can't read.

    Raises UserError when no component is in both runs.
    """
    known = {one.component: one for one in first}
    both = [_both(known[one.component], one, column) for one in second if one.component in known]
    if not both:
        raise UserError(
            "the two runs describe no component in common",
            kind="run",
            hint="name runs over the same components",
        )
    return Agreement(tuple(both), len(first) + len(second) - 2 * len(both))


def _both(first: Description, second: Description, column: Column) -> Both:
    if not (first.concept and second.concept):
        return Both(first, second, same_meaning=False, alike=None)
    same = canonical(first.concept) == canonical(second.concept)
    try:
        held = np.stack([np.asarray(concept_values(one.concept, column)) for one in (first, second)])
    except UserError:
        return Both(first, second, same, alike=None)
    return Both(first, second, same, float(correlations(held[:1], held[1:].T)[0, 0]))


def _share(said: Sequence[bool]) -> Estimate | None:
    return wilson(sum(said), len(said)) if said else None


def _told(one: Description) -> dict[str, Any]:
    score = one.scores.get(PRIMARY)
    return {
        "status": one.status,
        "concept": one.concept,
        "reading": str(one.reading) if one.concept else "",
        "test_rho": round(primary(one), 4),
        "judge": score.judge if score else "",
    }
