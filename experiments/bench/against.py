"""A planner against labels without experiments: paired differences over the same units.

Pure functions of what was found. A unit of which nothing was said counts with a correlation of 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from experiments.bench.found import Found
from experiments.bench.report import SILENT, Shares, shares
from tools.scoring.intervals import bootstrap_difference


def against(planner: Sequence[Found], baseline: Sequence[Found]) -> Shares:
    """How a baseline did, and by how much the planner is ahead, over all units with something to say about them.

    `differences` are planner − baseline: mean test ρ, and share of exact concepts, with a bootstrap over units (null
    for a single one). Raises ValueError where the two are not about the same units.
    """
    if [one.truth for one in planner] != [one.truth for one in baseline]:
        raise ValueError("only labels of the same units can be compared")
    pairs = [(ours, theirs) for ours, theirs in zip(planner, baseline, strict=True) if ours.truth.concept]
    if not pairs:
        return None
    kinds = dict.fromkeys(ours.truth.kind for ours, _ in pairs)
    silent = [one for one in baseline if one.truth.kind in SILENT]
    return {
        "test_rho_median": round(median(theirs.rho for _, theirs in pairs), 4),
        "planner_rho_median": round(median(ours.rho for ours, _ in pairs), 4),
        "exact": shares([theirs.match.exact for _, theirs in pairs]),
        "differences": {
            "rho": ahead([(ours.rho, theirs.rho) for ours, theirs in pairs]),
            "exact": ahead([(ours.match.exact, theirs.match.exact) for ours, theirs in pairs]),
        },
        "kinds": {
            kind: shares([theirs.match.exact for _, theirs in pairs if theirs.truth.kind == kind])
            for kind in kinds
        },
        "false_claims": shares([one.verified for one in silent]),
        "units": [
            {"component": theirs.truth.component, "rho": theirs.rho, "exact": theirs.match.exact}
            for _, theirs in pairs
        ],
        "n": len(pairs),
    }


def ahead(pairs: Sequence[tuple[float, float]]) -> Shares:
    """The mean of first − second over units, with a bootstrap; null for a single unit."""
    if len(pairs) < 2:
        return None
    ours, theirs = zip(*pairs, strict=True)
    found = bootstrap_difference(ours, theirs)
    return {"value": found.value, "ci": [found.low, found.high], "n": found.n}
