"""What a part of the planner adds: the same units labelled with and without it, paired.

Pure functions of what was found. A unit of which nothing was said counts with a correlation of 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from experiments.bench.against import ahead
from experiments.bench.found import Found
from experiments.bench.report import PLANTED, SILENT, Shares, caused, cost, mean, shares

EVERY = "all"
"""All kinds of units with something to say about them, together."""


def spared(whole: Sequence[Found], run: str, rest: Sequence[Found]) -> Shares:
    """How the planner did without a part, in a run of its own, beside what the whole one did on the same units.

    By kind, and over all: the share of exact concepts and the mean test ρ `with` and `without` the part, and `adds`,
    the mean of their differences with a bootstrap over units (null for a single one). Beside it what causal claims and
    false claims became, and what a unit cost; the later run finds what the first one left in memory, so that a part
    costs at most the difference. Raises ValueError where the two are not about the same units.
    """
    if [one.truth for one in whole] != [one.truth for one in rest]:
        raise ValueError("only labels of the same units can be compared")
    pairs = [(one, other) for one, other in zip(whole, rest, strict=True) if one.truth.concept]
    kinds = dict.fromkeys(one.truth.kind for one, _ in pairs)
    by_kind = {kind: _paired([pair for pair in pairs if pair[0].truth.kind == kind]) for kind in kinds}
    return {
        "run": run,
        "kinds": by_kind | ({EVERY: _paired(pairs)} if pairs else {}),
        "planted": {kind: _both(_of(whole, kind), _of(rest, kind)) for kind in PLANTED if _of(whole, kind)},
        "false_claims": {
            kind: {
                side: shares([one.verified for one in _of(units, kind)])
                for side, units in (("with", whole), ("without", rest))
            }
            for kind in SILENT
            if _of(whole, kind)
        },
        "seconds_per_unit": {"with": cost(whole).seconds, "without": cost(rest).seconds},
        "forwards_per_unit": {"with": cost(whole).forwards, "without": cost(rest).forwards},
        "n": len(pairs),
    }


def _paired(pairs: Sequence[tuple[Found, Found]]) -> Shares:
    """Of one kind: exact concepts and test ρ, with, without, and what the part adds."""
    exact = [(float(one.match.exact), float(other.match.exact)) for one, other in pairs]
    rho = [(one.rho, other.rho) for one, other in pairs]
    return {
        name: {
            "with": mean([first for first, _ in found])["value"],
            "without": mean([second for _, second in found])["value"],
            "adds": ahead(found),
        }
        for name, found in (("exact", exact), ("rho", rho))
    } | {"n": len(pairs)}


def _both(whole: Sequence[Found], rest: Sequence[Found]) -> Shares:
    """How often planted components were called necessary and unused, with the part and without."""
    return {"with": caused(whole), "without": caused(rest)}


def _of(units: Sequence[Found], kind: str) -> list[Found]:
    return [one for one in units if one.truth.kind == kind]
