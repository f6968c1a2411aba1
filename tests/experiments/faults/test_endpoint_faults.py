"""A tenth of the table of faults: endpoints that spoil one component's answers, against a run that is left in peace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiments.faults.endpoint import FAULTS, REDIRECT
from experiments.faults.rows import Row, left_in_peace, of_endpoint
from experiments.faults.trial import HIT, SPARED_AFTER, SPARED_BEFORE
from tests.labelling import Labelled

SHOWN = {fault.name: fault for fault in (*FAULTS, REDIRECT)}


@pytest.fixture(scope="module")
def cache(labelled: Labelled) -> Path:
    return labelled.place.cache


@pytest.fixture(scope="module")
def calm(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    found = left_in_peace(tmp_path_factory.mktemp("calm") / "run", cache)
    assert found[HIT]["description"]["label"] == "hearts"
    return found


@pytest.mark.parametrize(
    ("name", "code", "kind", "after"),
    [
        ("a cut stream, for good", 3, "endpoint", "waits"),
        ("a filter refuses one component", 3, "", "abstained"),
        ("a redirect to another host", 3, "endpoint-url", "waits"),
    ],
)
def test_a_run_that_meets_a_fault_ends_in_a_record_from_which_it_comes_to_the_calm_end(
    name: str, code: int, kind: str, after: str, calm: Mapping[str, Any], cache: Path, tmp_path: Path
) -> None:
    row = of_endpoint(SHOWN[name], tmp_path / "run", cache, calm)
    assert (row.code, row.kind, row.status) == (code, kind, "partial" if code else "done"), row
    assert row.components[SPARED_BEFORE] == "abstained" and row.components[SPARED_AFTER] == after
    assert row.components[HIT] == ("waits" if code else "unverified")
    assert (row.resumed, row.resumed_status, row.changed) == (0, "done", []) and row.held


@pytest.mark.parametrize(
    "wrong",
    [
        {"met": 0},
        {"changed": ["vision.3.mlp.0.description.label: hearts | moons"]},
        {"carried_too_far": 1},
        {"kind": "traceback: KeyError"},
        {"resumed": 3},
    ],
)
def test_a_row_does_not_hold_where_nothing_was_met_or_anything_changed(wrong: dict[str, Any]) -> None:
    held = Row("endpoint", "a fault", "a way", 1, 3, "endpoint", "gone", "partial", {}, 0, "done", [])
    assert held.held and not replace(held, **wrong).held
