"""What an audit's experiments give back: shares by arm, parts that carry a cue, maps.

Knows the shape in which they are recorded; knows nothing about how they come about.
"""

from __future__ import annotations

from collections.abc import Mapping

from store.records import Experiment, Quantity
from tools.scoring.intervals import wilson
from tools.tool import Result


class Surveyed(Result):
    """`counts` says by arm how many probes of how many were of the kind that is counted."""

    survey: str
    counts: dict[str, tuple[int, int]]


class Mappings(Surveyed):
    """What maps say of the place of right answers, and what a gate by them does; None where it sorts nothing out."""

    gate: Surveyed | None


class Found(Result):
    """The parts that carry a cue, best first, as they were searched."""

    survey: str
    parts: tuple[str, ...]


def surveyed(name: str, counts: Mapping[str, tuple[int, int]]) -> Surveyed:
    """Counts with their shares and a summary."""
    shares = {arm: wilson(*count) for arm, count in counts.items()}
    told = ", ".join(f"{arm} {one.value:.3f} [{one.low:.3f}, {one.high:.3f}]" for arm, one in shares.items())
    return Surveyed(
        survey=name,
        counts=dict(counts),
        quantities={
            arm: Quantity(value=one.value, unit="share", ci=(one.low, one.high), n=one.n)
            for arm, one in shares.items()
        },
        summary=f"{name}: {told}, n = {min(one.n for one in shares.values())}"[:400],
    )


def counts_of(told: Experiment) -> dict[str, tuple[int, int]]:
    """The counts of a recorded survey."""
    return {arm: (int(some), int(n)) for arm, (some, n) in told.result["counts"].items()}
