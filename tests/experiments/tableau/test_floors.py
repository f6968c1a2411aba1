"""The floors figure says what the record says, the missed floors first of all."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.tableau.floors import FLOORS, measured
from experiments.tableau.floors_figure import draw_floors, finding


def figures(accuracy: float, chance: float, grey: float | None = None) -> dict[str, Any]:
    found = {"accuracy": accuracy, "ci": [accuracy - 0.01, accuracy + 0.01], "n": 5000, "chance": chance}
    return found | (
        {"grey": {"accuracy": grey, "ci": [grey - 0.01, grey + 0.01], "n": 5000}} if grey is not None else {}
    )


@pytest.fixture
def record() -> dict[str, Any]:
    return {
        "target": "tableau-llava",
        "n": 5000,
        "seed": 0,
        "kinds": {
            "counting": figures(0.9, 0.2, 0.2) | {"macro": 0.84},
            "color": figures(0.98, 0.125, 0.15),
            "context": figures(0.97, 0.125),
        },
        "extra": {"caption": {"object_recall": {"value": 0.95, "ci": [0.94, 0.96], "n": 480}}},
    }


def test_kinds_are_read_in_the_order_of_the_floors(record: dict[str, Any]) -> None:
    kinds = {kind.kind: kind for kind in measured(record)}
    assert list(kinds) == ["color", "counting", "context", "caption"]
    assert [kind.met for kind in kinds.values()] == [True, False, True, True]
    assert kinds["counting"].value == 0.84
    assert [kind.blind for kind in kinds.values()] == [True, True, None, None]
    assert set(kinds) <= set(FLOORS)


def test_the_title_names_what_is_missed_and_what_was_known_without_looking(record: dict[str, Any]) -> None:
    title = finding("tableau-llava", measured(record))
    assert title == (
        "tableau-llava meets 3 of 4 floors (not counting); before a grey picture every kind falls to chance"
    )
    record["kinds"]["color"]["grey"]["accuracy"] = 0.16
    assert "before a grey picture color stays more than 3 points above chance" in finding(
        "tableau-llava", measured(record)
    )


def test_the_figure_has_a_row_for_every_kind(record: dict[str, Any]) -> None:
    labels = draw_floors(record).axes[0].get_yticklabels()
    assert [label.get_text() for label in labels] == [
        *("color\n0.980", "counting\n0.840", "context\n0.970", "caption\n0.950")
    ]
