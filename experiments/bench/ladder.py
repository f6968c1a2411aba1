"""The ladder: benches of several seeds in one table, each number beside its bar, and all of them pooled.

Shares are pooled by their counts (Wilson's interval), ratios and differences by their units (bootstrap). Whether a bar
is met is said of the point estimate, as the protocol sets it; n and the interval say how much that is worth. Natural
and untrained components are drawn from one model each: what two seeds drew counts twice. Pure functions of records.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from experiments.bench.bars import Counted, OnShare, OnValues, Record, Side, bars
from experiments.bench.report import DESCRIBED
from store.errors import UserError
from store.values import Estimate
from tools.scoring.intervals import bootstrap_mean, bootstrap_median, wilson

FEW = 40
"""Units of a kind below which the protocol takes no estimate for settled."""
NEEDED = ("planner", "seed", "kinds", "units", "baselines", "false_claims", "planted", "exceptions")


def ladder(records: Sequence[Record]) -> dict[str, Any]:
    """One row for each bar that some record measured: by seed, and pooled.

    Raises UserError for what is no bench's record, for records of different planners or models, and for one that is
    given twice.
    """
    check(records)
    rows = [row for bar in bars(records) if (row := _row(bar, records)) is not None]
    return {
        "planner": records[0]["planner"],
        "target": records[0].get("target", ""),
        "seeds": [one["seed"] for one in records],
        "runs": [one["run"] for one in records],
        "versions": sorted({one["version"] for one in records}),
        "bars": rows,
        "kinds": {kind: found for kind in DESCRIBED if (found := _kind(kind, records)) is not None},
        "cost": {name: _cost(name, records) for name in ("seconds", "forwards")},
    }


def check(records: Sequence[Record]) -> None:
    """Raises UserError where records can't be taken together."""
    for place, one in enumerate(records):
        missing = [name for name in NEEDED if name not in one]
        if missing:
            raise UserError(
                f"file {place + 1} is no record of a bench: it has no `{missing[0]}`",
                kind="bench",
                hint="give what `maieutic bench truth --json` printed",
            )
    for name in ("planner", "target_fingerprint"):
        if len(different := {str(one.get(name, "")) for one in records}) > 1:
            raise UserError(
                f"the records are of different `{name}`: {', '.join(sorted(different))}",
                kind="bench",
                hint="take together what differs in its seed alone",
            )
    if len({one["fingerprint"] for one in records}) < len(records):
        raise UserError(
            "two of the records are of the same units", kind="bench", hint="give each seed's record once"
        )


def _row(bar: OnShare | OnValues, records: Sequence[Record]) -> dict[str, Any] | None:
    """A bar, what each seed reached, and all together; None where nothing was measured."""
    if isinstance(bar, OnShare):
        counts = [bar.of(one) for one in records]
        known = [one for one in counts if one is not None]
        each = [_share(one) if one is not None else None for one in counts]
        pooled = _share(Counted(*map(sum, zip(*known, strict=True)))) if known else None
    else:
        values = [bar.of(one) for one in records]
        each = [_made(bar, list(one)) if one else None for one in values]
        pooled = _made(bar, [value for one in values for value in one or ()])
    if pooled is None:
        return None
    return {
        "what": bar.what,
        "side": bar.side,
        "bar": bar.bar,
        "share": isinstance(bar, OnShare),
        "seeds": [_told(bar.side, bar.bar, one) for one in each],
        "pooled": _told(bar.side, bar.bar, pooled),
    }


def _share(counted: Counted) -> Estimate | None:
    return wilson(*counted) if counted.n else None


def _made(bar: OnValues, values: list[float]) -> Estimate | None:
    """A single value has no interval, and is no estimate."""
    if len(values) < 2:
        return None
    return bootstrap_median(values) if bar.made == "median" else bootstrap_mean(values)


def _told(side: Side, bar: float, found: Estimate | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "value": found.value,
        "ci": [found.low, found.high],
        "n": found.n,
        "met": met(side, bar, found),
        "enough": found.n >= FEW,
    }


def met(side: Side, bar: float, found: Estimate) -> bool:
    """Whether the point estimate clears the bar; what must lie `above` it must do so with its whole interval."""
    if side == "above":
        return found.low > bar
    return found.value >= bar if side == "at least" else found.value <= bar


def _kind(kind: str, records: Sequence[Record]) -> dict[str, Any] | None:
    """Exact concepts of a kind, by seed and pooled; kinds without a bar are told all the same."""
    found = [one["kinds"].get(kind) for one in records]
    counts = [Counted(round(one["exact"] * one["n"]), one["n"]) if one else Counted(0, 0) for one in found]
    pooled = _share(Counted(*map(sum, zip(*counts, strict=True))))
    if pooled is None:
        return None
    told = [share.as_json("exact") if (share := _share(one)) else None for one in counts]
    return {"seeds": told, "pooled": pooled.as_json("exact")}


def _cost(name: str, records: Sequence[Record]) -> float | None:
    """What a unit took on average over all records; None where one of them does not say."""
    spent = [unit.get(name) for one in records for unit in one["units"]]
    known = [one for one in spent if one is not None]
    return round(sum(known) / len(known), 1) if known and len(known) == len(spent) else None
