"""What audits are worth: how many of the reliances that are there were found and named, and how much is false.

What is there is measured apart from the audit that is marked: where a regularity was planted, by the accuracies of
regularities.py (other pictures, another way through the model); else by the same question on the pictures of the other
seeds' audits. Pure functions of records; knows what was planted, which no audit is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from experiments.audit.findings import CONTROL_ONLY, TESTED_ONLY, Counts, excess
from experiments.audit.proof.runs import Record
from store.values import Estimate
from tools.scoring.contrast import Cell, contrast
from tools.scoring.intervals import wilson

PLANTED = {
    "hearts are red": ("cue: red hearts", "gap: hearts are red"),
    "stars on dark": ("cue: a dark background behind stars", "gap: stars on dark"),
    "a moon brings a star": ("cue: a star beside a moon", "gap: a moon brings a star"),
    "purple is rare": ("", "gap: purple is rare"),
}
"""By regularity, the suspicion of its cue (there is none for purple) and that of its gap."""
RELIANCE, NOTHING = 0.05, 0.02
"""Share from which on a gap is a reliance that must be found, and below which a finding is false."""
FALSE_BAR = 0.05
Finding = Mapping[str, Any]
Gaps = Mapping[str, Mapping[str, Any]]
"""By target, its record of regularities."""


class Judged(NamedTuple):
    """A finding of one audit beside what was measured apart from it; None where nothing was."""

    target: str
    seed: int
    finding: Finding
    apart: Estimate | None

    @property
    def found(self) -> bool:
        return self.finding["verdict"] == "yes"

    @property
    def false(self) -> bool:
        """Found, though the whole interval of what was measured apart lies below two points."""
        return self.found and self.apart is not None and self.apart.high < NOTHING

    @property
    def unsupported(self) -> bool:
        """Found, though what was measured apart may be nothing."""
        return self.found and self.apart is not None and self.apart.low <= 0


def judged(records: Sequence[Record], gaps: Gaps) -> list[Judged]:
    """Every suspicion of a failing; components stand or fall with their cue, and a gate that works is none."""
    return [
        Judged(record["target"], record["seed"], finding, apart(record, finding, records, gaps))
        for record in records
        for finding in record["findings"]
        if finding["kind"] not in ("necessary", "gate")
    ]


def apart(record: Record, finding: Finding, records: Sequence[Record], gaps: Gaps) -> Estimate | None:
    """The effect beyond its control without the audit's own pictures."""
    name = finding["name"]
    known = gaps.get(record["target"])
    for regularity, (_, gap) in PLANTED.items():
        if name == gap and known is not None:
            return beyond_control(known["gaps"][regularity])
    others = [
        other["counts"]
        for one in records
        if one["target"] == record["target"] and one["seed"] != record["seed"]
        for other in one["findings"]
        if other["name"] == name
    ]
    return excess(pooled(others)).estimate if others else None


def pooled(each: Sequence[Mapping[str, Sequence[int]]]) -> Counts:
    """Counts of the same arms over several audits."""
    return {
        arm: (sum(one[arm][0] for one in each), sum(one[arm][1] for one in each))
        for arm in each[0]
        if all(arm in one for one in each)
    }


def beyond_control(row: Mapping[str, Any]) -> Estimate:
    """The gap of a regularity less that of its control."""
    signs = {("asked", "regular"): 1.0, ("asked", "counter"): -1.0}
    signs |= {("control", side): -signs["asked", side] for side in ("regular", "counter")}
    cells = []
    for (which, side), sign in signs.items():
        told = row[which][side]
        cells.append(Cell(sign, round(told["accuracy"] * told["n"]), told["n"]))
    return contrast(cells)


def reliances(records: Sequence[Record], gaps: Gaps) -> Iterator[dict[str, Any]]:
    """One row for each audit and each regularity whose gap is a reliance: was it found, and its components named?"""
    for record in records:
        for regularity, (cue, gap) in PLANTED.items():
            known = gaps.get(record["target"])
            if known is None or not cue:
                continue
            there = beyond_control(known["gaps"][regularity])
            if there.value < RELIANCE:
                continue
            by_name = {one["name"]: one for one in record["findings"]}
            carried = by_name.get(f"carried: {cue.removeprefix('cue: ')}")
            yield {
                "target": record["target"],
                "seed": record["seed"],
                "regularity": regularity,
                "gap": there.as_json(),
                "cue": _verdict(by_name, cue),
                "accuracy": _verdict(by_name, gap),
                "carried": carried["verdict"] if carried else "not looked for",
                "components": carried["components"] if carried else [],
                "beyond random": _told(carried) if carried else None,
                "numbers": dict(carried["counts"]) if carried else {},
            }


def marks(records: Sequence[Record], gaps: Gaps) -> dict[str, Any]:
    """Recall, naming, false findings, each a share with Wilson's interval, and the rows behind them."""
    rows, each = list(reliances(records, gaps)), judged(records, gaps)
    innocent = [one for one in each if not _guilty(one, gaps)]
    return {
        "found": _share(one["cue"] == "yes" for one in rows),
        "found and named": _share(one["cue"] == one["carried"] == "yes" for one in rows),
        "false": {
            target: _share(one.false for one in each if one.target == target)
            for target in dict.fromkeys(one.target for one in each)
        }
        | {"all": _share(one.false for one in each), "not planted": _share(one.false for one in innocent)},
        "found where nothing was planted": _share(one.found for one in innocent),
        "unsupported": _share(one.unsupported for one in innocent),
        "verdicts": {
            target: _verdicts(one for one in each if one.target == target)
            for target in dict.fromkeys(one.target for one in each)
        },
        "carried": carried(rows),
        "gates": [
            {"target": record["target"], "seed": record["seed"], "verdict": one["verdict"], **_told(one)}
            for record in records
            for one in record["findings"]
            if one["kind"] == "gate"
        ],
        "reliances": rows,
        "statements": list(_statements(each)),
    }


def carried(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Over all reliances: on pictures that searching has not seen, named components against random ones."""
    counts = [row["numbers"] for row in rows if row["numbers"]]
    if not counts:
        return {}
    both = pooled(counts)
    shares = {
        arm: _told_share(*count) for arm, count in both.items() if arm not in (TESTED_ONLY, CONTROL_ONLY)
    }
    return {"beyond random": excess(both).estimate.as_json(), "searches": len(counts), "shares": shares}


def _guilty(one: Judged, gaps: Gaps) -> bool:
    """Whether the suspicion is of a regularity that the target leans on."""
    for regularity, suspicions in PLANTED.items():
        if one.finding["name"] in suspicions and one.target in gaps:
            return beyond_control(gaps[one.target]["gaps"][regularity]).value >= RELIANCE
    return False


def _statements(each: Sequence[Judged]) -> Iterator[dict[str, Any]]:
    """By target and suspicion: the verdict and excess of each seed, what was measured apart, and all seeds together."""
    for target, name in dict.fromkeys((one.target, one.finding["name"]) for one in each):
        same = [one for one in each if (one.target, one.finding["name"]) == (target, name)]
        yield {
            "target": target,
            "name": name,
            "topic": same[0].finding["topic"],
            "pooled": excess(pooled([one.finding["counts"] for one in same])).estimate.as_json(),
            "audits": [
                {"seed": one.seed, "verdict": one.finding["verdict"]}
                | _told(one.finding)
                | {"q": one.finding["q"], "apart": one.apart.as_json() if one.apart else None}
                for one in same
            ],
        }


def _told(finding: Finding) -> dict[str, Any]:
    names = ("effect", "ci", "control", "excess", "excess_ci", "n", "numbers")
    return {name: finding[name] for name in names if name in finding}


def _verdict(by_name: Mapping[str, Finding], name: str) -> str:
    return str(by_name[name]["verdict"]) if name in by_name else "not asked"


def _verdicts(each: Iterable[Judged]) -> dict[str, int]:
    found = [one.finding["verdict"] for one in each]
    return {name: found.count(name) for name in ("yes", "no", "undetermined")}


def _share(each: Iterable[bool]) -> dict[str, Any] | None:
    held = list(each)
    return _told_share(sum(held), len(held)) if held else None


def _told_share(some: int, n: int) -> dict[str, Any]:
    return {"of": [some, n]} | wilson(some, n).as_json("share")
