"""What a bench found, by kind, with intervals: the shape of the public contract.

Shares have Wilson's interval, means a bootstrap over units. What was not measured is null. Knows descriptions and
truths; knows nothing about how either came to be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from experiments.bench.found import Found
from experiments.bench.kinds import OUTSIDE
from tools.scoring.intervals import bootstrap_mean, wilson

DESCRIBED = ("single", "and", "or", "and_not", "gated", "two_faced", "exception", "decoy", "count", "xor")
"""Kinds of units with something to say about them; a bench measures some of them."""
SILENT = ("noise", "dead")
"""Kinds about which every description is false."""
UNTRAINED = "untrained"
NATURAL = "natural"
"""Components of the model as it is, whose truth nobody knows."""
CLAIMED = ("learned", "necessary", "sufficient")
"""What is false of a unit that was never trained; an accurate description is not."""
PLANTED = ("wired", "decoy", "head")
CARRIES = {"writes": "color", "when_cut": "color"}
"""What is true of every planted head, by claim: the questions that it writes for and those that need it. What it reads
is no truth about all questions: before most it rests on the first token."""
Shares = dict[str, Any] | None


@dataclass(frozen=True)
class Report:
    """Everything that one bench measured. `target` and `host` are the name and the fingerprint of the model that stands
    behind the truth, `fingerprint` that of both together; `version` is the code's. `parts` says, by
    the name of a planner that lacks some, what they add (spared.py), `natural` how close words of natural components
    come to the best phrase (natural.py)."""

    planner: str
    seed: int
    run: str
    fingerprint: str
    found: tuple[Found, ...]
    target: str = ""
    host: str = ""
    version: str = ""
    baselines: Mapping[str, Shares] = field(default_factory=dict)
    parts: Mapping[str, Shares] = field(default_factory=dict)
    natural: Shares = None

    def as_json(self) -> dict[str, Any]:
        """The shape of the public contract, and each unit by itself."""
        return {
            "planner": self.planner,
            "seed": self.seed,
            "kinds": {kind: self.described(kind) for kind in DESCRIBED},
            "outside_grammar": list(OUTSIDE),
            "exceptions": {
                "named": shares([one.named_exception for one in self.of("exception")]),
                "invented": shares([one.invented_exception for one in self._without_exception()]),
            },
            "false_claims": {
                **{kind: shares([one.verified for one in self.of(kind)]) for kind in SILENT},
                UNTRAINED: self._untrained(),
            },
            "planted": {kind: caused(self.of(kind)) for kind in PLANTED} | self._apart(),
            "baselines": dict(self.baselines),
            "parts": dict(self.parts),
            "natural": self.natural,
            "seconds_per_unit": self.seconds_per_unit,
            "forwards_per_unit": cost(self.found).forwards,
            "run": self.run,
            "target": self.target,
            "target_fingerprint": self.host,
            "fingerprint": self.fingerprint,
            "version": self.version,
            "units": [one.as_json() for one in self.found],
        }

    @property
    def seconds_per_unit(self) -> float:
        """Of a unit's thread: what all units share (index, blocks of values, the null) is left out."""
        return cost(self.found).seconds

    def of(self, kind: str) -> list[Found]:
        return [one for one in self.found if one.truth.kind == kind]

    def described(self, kind: str) -> Shares:
        """How often the very concept was said, and which share of its phrases; None where there are no such units."""
        units = self.of(kind)
        exact = shares([one.match.exact for one in units])
        if exact is None:
            return None
        recall, precision = (
            mean([getattr(one.match, name) for one in units]) for name in ("recall", "precision")
        )
        return {
            "exact": exact["rate"],
            "ci": exact["ci"],
            "recall": recall["value"],
            "recall_ci": recall["ci"],
            "precision": precision["value"],
            "precision_ci": precision["ci"],
            "verified": sum(one.verified for one in units),
            "n": exact["n"],
        }

    def _without_exception(self) -> list[Found]:
        """Units with something to say about them that rule out nothing."""
        return [one for one in self.found if one.truth.concept and one.truth.kind not in _RULING_OUT]

    def _untrained(self) -> Shares:
        """Units of which at least one of CLAIMED was said, and each claim by itself."""
        units = self.of(UNTRAINED)
        found = shares([any(one.says(claim) == "yes" for claim in CLAIMED) for one in units])
        if found is None:
            return None
        each = {claim: claimed(units, claim) for claim in CLAIMED}
        return {**found, "claims": each, "verified": sum(one.verified for one in units)}

    def _apart(self) -> dict[str, Shares]:
        """Of wired neurons those that help with right answers and those that mislead, which nobody should call
        necessary; and of heads also how often each thing that is true of them was said."""
        wired, heads = self.of("wired"), self.of("head")
        carried = {
            f"{claim} {about}": shares([one.claims(claim, about) for one in heads])
            for claim, about in CARRIES.items()
        }
        named = {"named": shares([one.match.exact for one in heads])}
        return {
            "helping": caused([one for one in wired if (one.truth.gain or 0) > 0]),
            "misleading": caused([one for one in wired if (one.truth.gain or 0) < 0]),
            "head": {**(caused(heads) or {}), **named, **carried} if heads else None,
        }


_RULING_OUT = ("exception", "and_not", "xor")


class Cost(NamedTuple):
    """What a unit's thread took on average: seconds, and rows through the model."""

    seconds: float
    forwards: float


def cost(units: Sequence[Found]) -> Cost:
    n = max(len(units), 1)
    seconds = sum(one.description.seconds for one in units) / n
    return Cost(round(seconds, 3), round(sum(one.forwards for one in units) / n, 1))


def caused(units: Sequence[Found]) -> Shares:
    """How often planted components were called necessary, and unused."""
    return {claim: claimed(units, claim) for claim in ("necessary", "unused")} if units else None


def claimed(units: Sequence[Found], claim: str) -> Shares:
    """How often a claim was made."""
    return shares([one.says(claim) == "yes" for one in units])


def shares(true: Sequence[bool]) -> Shares:
    """How often something is so, with Wilson's interval; None where nothing was looked at."""
    if not true:
        return None
    found = wilson(sum(true), len(true))
    return {"rate": found.value, "ci": [found.low, found.high], "n": len(true)}


def mean(values: Sequence[float]) -> dict[str, Any]:
    """A mean with its bootstrap interval over units; of one unit there is none."""
    if len(values) < 2:
        return {"value": values[0], "ci": None, "n": 1}
    found = bootstrap_mean(values)
    return {"value": found.value, "ci": [found.low, found.high], "n": found.n}
