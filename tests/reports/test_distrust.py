"""Reasons for doubt are counted, and none is made up."""

from __future__ import annotations

import pytest

from reports.distrust import MOST, distrust
from store.records import Claim
from tests.reports.threads import record, thread


def titles(*threads: object, status: str = "done") -> list[str]:
    return [note.title for note in distrust(record(*threads, status=status))]  # type: ignore[arg-type]


def test_a_sound_run_gives_no_reason() -> None:
    assert titles(thread()) == []


@pytest.mark.parametrize(
    ("told", "title"),
    [
        ({"status": "pending", "rho": None}, "1 component not described yet"),
        ({"status": "failed", "rho": None}, "1 component failed"),
        ({"status": "abstained", "rho": None}, "1 abstention"),
        ({"status": "unverified"}, "1 label did not pass the test"),
        ({"judge": "clip (shared judge)"}, "Shared judge on 1 component"),
        ({"rho": 0.3}, "1 score no better than the null"),
        ({"null": None}, "No null for 1 score"),
        ({"select": 0.9}, "Select scores were 0.10 above test scores on average"),
        ({"claims": {"necessary": Claim(verdict="undetermined")}}, "1 claim left undetermined or untested"),
    ],
)
def test_each_weakness_is_named(told: dict[str, object], title: str) -> None:
    assert titles(thread(**told)) == [title]  # type: ignore[arg-type]


def test_many_components_are_counted_after_the_first_few() -> None:
    silent = [thread(f"language.3.mlp.{i}", "abstained", rho=None) for i in range(MOST + 3)]
    (note,) = distrust(record(*silent))
    assert (len(note.threads), note.more) == (MOST, 3)


def test_many_intervals_are_not_all_right() -> None:
    assert titles(*(thread(f"language.3.mlp.{i}") for i in range(40))) == ["40 intervals at 95 %"]
