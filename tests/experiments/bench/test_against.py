"""A baseline is compared with the planner unit by unit, and what it says of nothing counts."""

from __future__ import annotations

import pytest

from experiments.bench.against import against
from experiments.bench.found import Found, Truth
from store.records import Description, Score, Status


def found(number: int, kind: str, concept: str, said: str, rho: float, status: Status = "verified") -> Found:
    score = Score(value=rho, ci=(rho - 0.1, rho + 0.1), n=40, split="test", judge="scene graph")
    description = Description(
        component=f"vision.0.mlp.{number}",
        status=status,
        concept=said,
        scores={"pearson": score} if said else {},
    )
    return Found(Truth(description.component, kind, concept), description)


OURS = [
    found(1, "single", "red thing", "crimson", 0.9),
    found(2, "or", "star | moon", "moon | star", 0.8),
    found(3, "or", "ring | heart", "", 0.0, "abstained"),
    found(4, "noise", "", "", 0.0, "abstained"),
]
THEIRS = [
    found(1, "single", "red thing", "red thing", 0.9),
    found(2, "or", "star | moon", "moon", 0.5),
    found(3, "or", "ring | heart", "ring", 0.6),
    found(4, "noise", "", "dark background", 0.4),
]


def test_differences_are_paired_and_what_was_not_said_counts_as_nothing() -> None:
    told = against(OURS, THEIRS)
    assert told is not None
    assert told["differences"]["rho"]["value"] == pytest.approx((0 + 0.3 - 0.6) / 3)
    assert told["differences"]["exact"]["value"] == pytest.approx(1 / 3)
    low, high = told["differences"]["rho"]["ci"]
    assert low < told["differences"]["rho"]["value"] < high
    assert (told["test_rho_median"], told["planner_rho_median"], told["n"]) == (0.6, 0.8, 3)


def test_exact_concepts_are_counted_by_kind_and_words_about_noise_are_false() -> None:
    told = against(OURS, THEIRS)
    assert told is not None
    assert {kind: one["rate"] for kind, one in told["kinds"].items()} == {"single": 1, "or": 0}
    assert told["false_claims"]["rate"] == 1 and told["false_claims"]["n"] == 1


def test_labels_of_other_units_are_not_compared() -> None:
    with pytest.raises(ValueError, match="same units"):
        against(OURS, THEIRS[::-1])


def test_without_a_unit_to_speak_of_there_is_nothing_to_compare() -> None:
    assert against(OURS[3:], THEIRS[3:]) is None
