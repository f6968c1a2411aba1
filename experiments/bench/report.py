"""What a bench found: truth beside what was said, by kind, with intervals.

Pure functions of descriptions and truths. Nothing said counts as 0 and is never dropped; what was not measured is null.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.bench.matching import NOTHING_SAID, Match, match
from store.records import Answer, Description
from tools.scoring.intervals import wilson

DESCRIBED = ("single", "and", "or", "and_not", "gated", "two_faced", "exception", "decoy", "count", "xor")
"""Kinds of units with something to say about them; a bench measures some of them."""
SILENT = ("noise", "dead", "untrained")
"""Kinds about which every claim is false."""
PLANTED = ("wired", "decoy", "head")
BASELINES = ("one_shot", "best_match", "linear", "random_text")


@dataclass(frozen=True, slots=True)
class Truth:
    """What stands at an address: its kind, its concept (empty where there is none), and what a planted component adds
    to right answers' margins (below 0 where it misleads)."""

    component: str
    kind: str
    concept: str
    gain: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A truth beside its description."""

    truth: Truth
    description: Description

    @property
    def match(self) -> Match:
        if not self.truth.concept:
            return NOTHING_SAID
        return match(self.description.concept, self.truth.concept)

    def needed_for(self) -> str:
        """The kinds of questions that it was called necessary for, in words."""
        found = self.description.claims.get("necessary")
        return found.because if found is not None and found.verdict == "yes" else ""

    def says(self, claim: str) -> Answer:
        found = self.description.claims.get(claim)
        return found.verdict if found is not None else "undetermined"

    def as_json(self) -> dict[str, Any]:
        said = self.description
        return {
            "component": self.truth.component,
            "kind": self.truth.kind,
            "truth": self.truth.concept or None,
            "gain": self.truth.gain,
            "said": said.concept or None,
            "reading": str(said.reading) if said.concept else None,
            "status": said.status,
            "reason": said.reason,
            "test_pearson": said.scores["pearson"].value if "pearson" in said.scores else None,
            **self.match._asdict(),
            "necessary": self.says("necessary"),
            "needed_for": self.needed_for() or None,
            "unused": self.says("unused"),
            "seconds": said.seconds,
        }


@dataclass(frozen=True)
class Report:
    """Everything that one bench measured."""

    planner: str
    seed: int
    run: str
    fingerprint: str
    found: tuple[Found, ...]

    def as_json(self) -> dict[str, Any]:
        """The shape of the public contract, and each unit by itself."""
        return {
            "planner": self.planner,
            "seed": self.seed,
            "kinds": {kind: self._described(kind) for kind in DESCRIBED},
            "false_claims": {kind: self._share(kind, _verified) for kind in SILENT},
            "planted": {kind: self._caused(kind) for kind in PLANTED},
            "baselines": dict.fromkeys(BASELINES),
            "seconds_per_unit": self.seconds_per_unit,
            "run": self.run,
            "fingerprint": self.fingerprint,
            "units": [one.as_json() for one in self.found],
        }

    @property
    def seconds_per_unit(self) -> float:
        """Of a unit's thread: what all units share (index, blocks of values, the null) is left out."""
        return round(sum(one.description.seconds for one in self.found) / max(len(self.found), 1), 3)

    def of(self, kind: str) -> list[Found]:
        return [one for one in self.found if one.truth.kind == kind]

    def _described(self, kind: str) -> dict[str, Any] | None:
        exact = self._share(kind, lambda one: one.match.exact)
        if exact is None:
            return None
        matches = [one.match for one in self.of(kind)]
        return {
            "exact": exact["rate"],
            "ci": exact["ci"],
            "recall": _mean([one.recall for one in matches]),
            "precision": _mean([one.precision for one in matches]),
            "verified": sum(map(_verified, self.of(kind))),
            "n": exact["n"],
        }

    def _caused(self, kind: str) -> dict[str, Any] | None:
        """How often planted components were called necessary, and unused."""
        if not self.of(kind):
            return None
        return {
            claim: self._share(kind, lambda one, claim=claim: one.says(claim) == "yes")  # type: ignore[misc]
            for claim in ("necessary", "unused")
        }

    def _share(self, kind: str, true: Callable[[Found], bool]) -> dict[str, Any] | None:
        """How often something is so among units of a kind, with Wilson's interval; None where there are none."""
        units = self.of(kind)
        if not units:
            return None
        share = wilson(sum(map(true, units)), len(units))
        return {"rate": share.value, "ci": [share.low, share.high], "n": len(units)}


def compared(truths: Sequence[Truth], descriptions: Sequence[Description]) -> tuple[Found, ...]:
    """Each truth beside what was said of it. Raises KeyError for a component that was never described."""
    said = {one.component: one for one in descriptions}
    return tuple(Found(truth, said[truth.component]) for truth in truths)


def _verified(found: Found) -> bool:
    return found.description.status == "verified"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
