"""What a part adds is a paired difference over the same units, by kind and over all."""

from __future__ import annotations

import pytest

from experiments.bench.found import Found, Truth, compared
from experiments.bench.spared import spared
from store.records import Claim, Description, Score

TRUTHS = (
    Truth("vision.0.mlp.1", "or", "red thing | star"),
    Truth("vision.0.mlp.2", "or", "ring | star"),
    Truth("vision.0.mlp.3", "single", "star"),
    Truth("vision.0.mlp.4", "noise", ""),
    Truth("vision.0.mlp.5", "decoy", "ring", 0.0),
)


def found(said: list[str], rho: float, seconds: float, **claims: Claim) -> tuple[Found, ...]:
    """What was said of each; verified, and as true as `rho`, where something was said."""
    descriptions = [
        Description(
            component=truth.component,
            status="verified" if concept else "abstained",
            concept=concept,
            scores={"pearson": Score(value=rho, ci=(0, 1), n=40, split="test")} if concept else {},
            claims=dict(claims) if truth.kind == "decoy" else {},
            seconds=seconds,
            cost={"forwards": 100 * seconds},
        )
        for truth, concept in zip(TRUTHS, said, strict=True)
    ]
    return compared(TRUTHS, descriptions)


WHOLE = found(["red thing | star", "ring | star", "star", "", "ring"], 0.9, 4.0, unused=Claim(verdict="yes"))
LESS = found(["red thing", "ring", "star", "moon", ""], 0.6, 1.0)


def test_what_a_part_adds_is_told_by_kind_and_over_all() -> None:
    kinds = (spared(WHOLE, "abc", LESS) or {})["kinds"]
    assert (kinds["or"]["exact"]["with"], kinds["or"]["exact"]["without"]) == (1, 0)
    assert kinds["or"]["rho"]["adds"]["value"] == pytest.approx(0.3)
    assert kinds["single"]["exact"]["adds"] is None and kinds["single"]["n"] == 1
    every = kinds["all"]
    assert every["n"] == 4 and every["exact"]["adds"]["value"] == pytest.approx(0.75)
    assert every["rho"]["without"] == pytest.approx(0.6 * 3 / 4), "nothing said counts 0"
    low, high = every["exact"]["adds"]["ci"]
    assert 0 <= low <= 0.75 <= high <= 1


def test_claims_and_costs_stand_beside_each_other() -> None:
    told = spared(WHOLE, "abc", LESS) or {}
    assert told["planted"]["decoy"]["with"]["unused"]["rate"] == 1
    assert told["planted"]["decoy"]["without"]["unused"]["rate"] == 0
    assert told["false_claims"]["noise"]["without"]["rate"] == 1
    assert told["seconds_per_unit"] == {"with": 4.0, "without": 1.0}
    assert told["forwards_per_unit"] == {"with": 400.0, "without": 100.0}
    assert "wired" not in told["planted"] and told["run"] == "abc"


def test_labels_of_other_units_are_not_compared() -> None:
    with pytest.raises(ValueError, match="the same units"):
        spared(WHOLE, "abc", LESS[:3])
