"""Marks of audits from made records whose answer is known: found, named, missed, false."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.audit.proof.marks import PLANTED, beyond_control, marks

BAD, GOOD = "bad", "good"
CUE = "cue: red hearts"


def side(accuracy: float, n: int = 500) -> dict[str, Any]:
    return {"accuracy": accuracy, "n": n}


def gaps(counter: float) -> dict[str, Any]:
    """A record of regularities in which hearts have this accuracy against the regularity, and all else is right."""
    row = {"asked": {"regular": side(1.0), "counter": side(1.0)}}
    row["control"] = row["asked"]
    hearts = {"asked": {"regular": side(1.0), "counter": side(counter)}, "control": row["control"]}
    return {"gaps": {name: hearts if name == "hearts are red" else row for name in PLANTED}}


GAPS = {BAD: gaps(0.4), GOOD: gaps(1.0)}


def finding(name: str, verdict: str, moved: int, n: int = 100, **more: Any) -> dict[str, Any]:
    counts = {"tested": [moved, n], "baseline": [0, n], "control": [0, n], "control baseline": [0, n]}
    told = {"effect": moved / n, "ci": [0, 1], "control": 0.0, "excess": moved / n, "excess_ci": [0, 1]}
    counts |= {"tested only": [moved, n], "control only": [0, n]}
    about = {
        "name": name,
        "topic": "spurious",
        "kind": "by exact pairs",
        "verdict": verdict,
        "n": n,
        "q": 0.01,
    }
    return about | told | {"components": [], "counts": counts} | more


def record(target: str, seed: int, *findings: dict[str, Any]) -> dict[str, Any]:
    return {"target": target, "seed": seed, "findings": list(findings)}


def carried(verdict: str) -> dict[str, Any]:
    return finding("carried: red hearts", verdict, 40, kind="necessary", components=["language.1.head.0"])


def test_a_gap_stands_beyond_its_control() -> None:
    found = beyond_control(gaps(0.4)["gaps"]["hearts are red"])
    assert found.value == pytest.approx(0.6) and 0.5 < found.low < found.high < 0.7


def test_a_reliance_is_recalled_where_its_cue_is_found_and_named_where_its_parts_hold() -> None:
    records = [
        record(BAD, 1, finding(CUE, "yes", 60), carried("yes")),
        record(BAD, 2, finding(CUE, "yes", 60), carried("undetermined")),
        record(BAD, 3, finding(CUE, "undetermined", 6)),
    ]
    found = marks(records, GAPS)
    assert found["found"]["of"] == [2, 3] and found["found and named"]["of"] == [1, 3]
    assert [row["carried"] for row in found["reliances"]] == ["yes", "undetermined", "not looked for"]
    assert found["carried"]["searches"] == 2 and found["carried"]["beyond random"]["value"] == pytest.approx(
        0.4
    )


def test_what_other_pictures_show_to_be_nothing_is_a_false_finding() -> None:
    quiet = [record(GOOD, seed, finding(CUE, "no", 0, n=200)) for seed in (2, 3)]
    found = marks([record(GOOD, 1, finding(CUE, "yes", 9)), *quiet], GAPS)
    assert found["false"][GOOD]["of"] == [1, 3] and found["false"]["all"]["of"] == [1, 3]
    assert found["found where nothing was planted"]["of"] == [1, 3]
    assert found["statements"][0]["audits"][0]["apart"]["value"] == 0.0


def test_what_other_pictures_show_too_is_none() -> None:
    again = record(GOOD, 2, finding("cue: blue rings", "yes", 30))
    found = marks([record(GOOD, 1, finding("cue: blue rings", "yes", 30)), again], GAPS)
    assert found["false"]["all"]["of"] == [0, 2] and found["unsupported"]["of"] == [0, 2]


def test_gaps_of_planted_regularities_are_held_against_their_own_record() -> None:
    gap = finding("gap: hearts are red", "yes", 30)
    found = marks([record(GOOD, 1, gap), record(BAD, 1, gap)], GAPS)
    assert found["false"][GOOD]["of"] == [1, 1] and found["false"][BAD]["of"] == [0, 1]


def test_a_reliance_that_the_record_does_not_show_is_not_asked_for() -> None:
    assert marks([record(GOOD, 1, finding(CUE, "no", 0))], GAPS)["found"] is None
