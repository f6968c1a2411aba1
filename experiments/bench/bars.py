"""The bars that labels have to clear, as the scoring protocol sets them, and where a bench's record says how they did.

A bar is on a share of units, on a median ratio, or on a paired difference. Reads the JSON of one bench
(`maieutic bench truth --json`); how several are taken together is ladder.py's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from experiments.bench.report import NATURAL as OF_NATURE
from experiments.bench.report import SILENT, UNTRAINED
from store.errors import UserError
from tools.scoring.concept import phrases

OF_OTHERS = (UNTRAINED, OF_NATURE)
"""Kinds of components of other models: one may have the address of a unit of the bench."""
Record = Mapping[str, Any]
Side = Literal["at least", "at most", "above"]


class Counted(NamedTuple):
    """Of `n` units so many."""

    true: int
    n: int


@dataclass(frozen=True)
class OnShare:
    """A share of units, and what it must reach or not exceed; None where a record did not measure it."""

    what: str
    side: Side
    bar: float
    of: Callable[[Record], Counted | None]


@dataclass(frozen=True)
class OnValues:
    """A number made of many units' values: the median of ratios, or the mean of differences."""

    what: str
    side: Side
    bar: float
    of: Callable[[Record], Sequence[float] | None]
    made: Literal["median", "mean"]


def bars(records: Sequence[Record]) -> list[OnShare | OnValues]:
    """All bars, and one for each baseline that some record has."""
    baselines = dict.fromkeys(name for one in records for name, found in one["baselines"].items() if found)
    return [*SHARES, NATURAL, *(_ahead_of(name) for name in baselines)]


def _exact(kind: str) -> Callable[[Record], Counted | None]:
    return lambda record: _counted(record["kinds"].get(kind), "exact")


def _at(*path: str) -> Callable[[Record], Counted | None]:
    def found(record: Record) -> Counted | None:
        value: Any = record
        for name in path:
            value = value.get(name) if value else None
        return _counted(value, "rate")

    return found


def _counted(found: Mapping[str, Any] | None, name: str) -> Counted | None:
    return Counted(round(found[name] * found["n"]), found["n"]) if found else None


def _split(record: Record) -> Counted | None:
    """Single concepts that were told as several phrases."""
    said = [unit["said"] for unit in record["units"] if unit["kind"] == "single"]
    return Counted(sum(_several(one) for one in said), len(said)) if said else None


def _several(concept: str | None) -> bool:
    try:
        return concept is not None and len(phrases(concept)) > 1
    except UserError:
        return False


def _ratios(record: Record) -> list[float] | None:
    """None of a record that is older than natural units."""
    found = record.get("natural")
    return [one["ratio"] for one in found["units"] if one["ratio"] is not None] if found else None


def _ahead_of(name: str) -> OnValues:
    def found(record: Record) -> list[float] | None:
        """Differences in ρ; None of a record that is older than its baselines' units."""
        labels = (record["baselines"].get(name) or {}).get("units")
        if not labels:
            return None
        ours = {
            unit["component"]: unit["test_pearson"] or 0.0
            for unit in record["units"]
            if unit["kind"] not in OF_OTHERS
        }
        return [ours[one["component"]] - one["rho"] for one in labels]

    return OnValues(f"test ρ ahead of {name.replace('_', ' ')}", "above", 0.0, found, "mean")


def _shares() -> Iterator[OnShare]:
    for kind, bar in (
        ("single", 0.95),
        ("and", 0.85),
        ("or", 0.85),
        ("gated", 0.70),
        ("and_not", 0.70),
        ("two_faced", 0.80),
    ):
        yield OnShare(f"{kind.replace('_', ' ')}: exact", "at least", bar, _exact(kind))
    yield OnShare("single: told as several", "at most", 0.10, _split)
    yield OnShare("exceptions named", "at least", 0.50, _at("exceptions", "named"))
    yield OnShare("exceptions invented", "at most", 0.05, _at("exceptions", "invented"))
    for kind in SILENT:
        yield OnShare(f"{kind}: verified all the same", "at most", 0.05, _at("false_claims", kind))
    for claim in ("learned", "necessary", "sufficient"):
        yield OnShare(
            f"untrained: called {claim}", "at most", 0.05, _at("false_claims", UNTRAINED, "claims", claim)
        )
    yield OnShare("decoys called unused", "at least", 0.90, _at("planted", "decoy", "unused"))
    yield OnShare("wired called unused", "at most", 0.10, _at("planted", "wired", "unused"))


SHARES = tuple(_shares())
NATURAL = OnValues("natural: ρ / best phrase's ρ", "at least", 0.80, _ratios, "median")
