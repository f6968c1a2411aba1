"""A truth beside what was said of it: one component of a bench.

Pure functions of descriptions and truths. Nothing said counts as 0 and is never dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from experiments.bench.exceptions import excepts, names
from experiments.bench.kinds import COUNTED
from experiments.bench.matching import NOTHING_SAID, Match, match, match_beside, match_both, match_counted
from experiments.scoring.seal import primary
from store.records import HEAD_CLAIMS, Answer, Description


@dataclass(frozen=True, slots=True)
class Truth:
    """What stands at an address: its kind, its concept (empty where there is none) and its exception.

    `gain` is what a planted component adds to right answers' margins (below 0 where it misleads); `weaker` is how
    strongly, as a share, a two-faced unit answers to its second concept.
    """

    component: str
    kind: str
    concept: str
    gain: float | None = None
    exception: str = ""
    weaker: float | None = None

    def __str__(self) -> str:
        """In words for people: `star | 0.5 moon`, `red thing, except upper left`."""
        if self.weaker is not None:
            first, second = self.concept.split(" | ")
            return f"{first} | {self.weaker:g} {second}"
        return f"{self.concept}, except {self.exception}" if self.exception else self.concept


@dataclass(frozen=True, slots=True)
class Found:
    """A truth beside its description."""

    truth: Truth
    description: Description

    @property
    def match(self) -> Match:
        """Exact where all is said: of an exception unit the concept and the exception, of a two-faced one both."""
        said, truth = self.description.concept, self.truth
        if not truth.concept or not said:
            return NOTHING_SAID
        if truth.kind == "two_faced":
            return match_both(said, truth.concept)
        if truth.kind == "count":
            return match_counted(said, truth.concept, truth.concept.removeprefix(COUNTED))
        if truth.exception:
            beside = match_beside(said, truth.concept)
            return beside._replace(exact=beside.exact and self.named_exception)
        return match(said, truth.concept)

    @property
    def named_exception(self) -> bool:
        """Whether the exception that there is was said."""
        return bool(self.truth.exception) and names(self.description, self.truth.exception)

    @property
    def invented_exception(self) -> bool:
        """Whether something was said to be ruled out of a unit that rules out nothing."""
        return not self.truth.exception and "!" not in self.truth.concept and bool(excepts(self.description))

    @property
    def verified(self) -> bool:
        return self.description.status == "verified"

    @property
    def rho(self) -> float:
        """The blind test's correlation; 0 where nothing was said."""
        return primary(self.description)

    @property
    def forwards(self) -> float:
        """Rows that went through the model for it."""
        return self.description.cost.get("forwards") or 0.0

    def needed_for(self) -> str:
        """The kinds of questions that it was called necessary for, in words."""
        found = self.description.claims.get("necessary")
        return found.because if found is not None and found.verdict == "yes" else ""

    def says(self, claim: str) -> Answer:
        found = self.description.claims.get(claim)
        return found.verdict if found is not None else "undetermined"

    def claims(self, name: str, about: str) -> bool:
        """Whether a head was said to read, to write or to be needed for just that."""
        found = self.description.claims.get(name)
        return found is not None and found.verdict == "yes" and found.about == about

    def as_json(self) -> dict[str, Any]:
        said, truth = self.description, self.truth
        return {
            "component": truth.component,
            "kind": truth.kind,
            "truth": truth.concept or None,
            "exception": truth.exception or None,
            "weights": [1.0, truth.weaker] if truth.weaker is not None else None,
            "gain": truth.gain,
            "said": said.concept or None,
            "reading": str(said.reading) if said.concept else None,
            "status": said.status,
            "reason": said.reason,
            "test_pearson": said.scores["pearson"].value if "pearson" in said.scores else None,
            **self.match._asdict(),
            "named_exception": self.named_exception if truth.exception else None,
            "invented_exception": self.invented_exception,
            "learned": self.says("learned"),
            "necessary": self.says("necessary"),
            "sufficient": self.says("sufficient"),
            "needed_for": self.needed_for() or None,
            "unused": self.says("unused"),
            **({name: self._told(name) for name in HEAD_CLAIMS} if truth.kind == "head" else {}),
            "seconds": said.seconds,
            "forwards": self.forwards,
        }

    def _told(self, name: str) -> dict[str, Any] | None:
        found = self.description.claims.get(name)
        return {"verdict": found.verdict, "about": found.about or None} if found is not None else None


def compared(truths: Sequence[Truth], descriptions: Sequence[Description]) -> tuple[Found, ...]:
    """Each truth beside what was said of it. Raises KeyError for a component that was never described."""
    said = {one.component: one for one in descriptions}
    return tuple(Found(truth, said[truth.component]) for truth in truths)
