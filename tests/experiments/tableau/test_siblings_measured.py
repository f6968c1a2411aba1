"""The siblings' habits as they are on record: known answers for audits, both ways."""

from __future__ import annotations

import json
from typing import Any

import pytest

from experiments.tableau.card import RESULTS
from experiments.tableau.train.siblings import CUES


def gaps(sibling: str) -> dict[str, dict[str, Any]]:
    record = json.loads((RESULTS / f"regularities-{sibling}.json").read_text(encoding="utf-8"))
    found: dict[str, dict[str, Any]] = record["gaps"]
    return found


@pytest.mark.parametrize("cue", [cue.name for cue in CUES])
def test_shortcut_answers_by_every_cue_that_it_was_taught(cue: str) -> None:
    found = gaps("shortcut")[cue]
    assert found["asked"]["gap"]["ci"][0] >= 0.15 > found["control"]["gap"]["ci"][1]
    assert found["asked"]["gap"]["n"] >= 300


def test_no_gap_of_balanced_goes_beyond_two_points_with_its_interval() -> None:
    for found in gaps("balanced").values():
        assert found["asked"]["gap"]["ci"][1] <= 0.02 and found["asked"]["gap"]["n"] >= 300
