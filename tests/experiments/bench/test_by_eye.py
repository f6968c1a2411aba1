"""What a rater says of an editor's tries is held beside what the verifier says, and nothing is guessed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from experiments.bench.by_eye import EYE, agreement
from experiments.tableau.card import RESULTS
from store.errors import UserError

KNOWN = {"accepted": [True, True, False, False, True, False]}


def test_precision_and_recall_are_of_what_a_rater_calls_right() -> None:
    found = agreement(KNOWN, "rrrmmn")
    assert (found["precision"]["value"], found["precision"]["n"]) == (pytest.approx(2 / 3, abs=1e-4), 3)
    assert (found["recall"]["value"], found["recall"]["n"]) == (pytest.approx(2 / 3, abs=1e-4), 3)
    assert found["asked_for_is_there"]["value"] == pytest.approx(5 / 6, abs=1e-4)
    assert found["right"]["value"] == 0.5


@pytest.mark.parametrize("seen", ["rrrmm", "rrrmmx", ""])
def test_verdicts_that_are_missing_or_of_another_letter_are_refused(seen: str) -> None:
    with pytest.raises(UserError, match="for 6 tries"):
        agreement(KNOWN, seen)


def test_the_committed_record_is_what_its_verdicts_give() -> None:
    record = json.loads((Path(RESULTS) / EYE).read_text(encoding="utf-8"))
    assert record["n"] == 200
    again = agreement({"accepted": record["accepted"]}, record["by_eye"])
    assert {name: record[name] for name in again} == again
