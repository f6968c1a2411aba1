"""The figure says where labels fail: every unit has one outcome, and the title names the worst kinds."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.bench.against import against
from experiments.bench.figure import draw_bench, finding, outcome
from experiments.bench.found import Truth, compared
from experiments.bench.report import Report
from experiments.tableau.drawing import save
from store.records import Description

TRUTHS = (
    Truth("vision.0.mlp.1", "single", "red thing"),
    Truth("vision.0.mlp.2", "and", "ring & star"),
    Truth("vision.0.mlp.3", "count", "at least two stars"),
    Truth("vision.0.mlp.4", "noise", ""),
)


@pytest.fixture
def report() -> Report:
    said = {"vision.0.mlp.1": "red thing", "vision.0.mlp.2": "ring | star", "vision.0.mlp.3": "ring"}
    found = compared(
        TRUTHS,
        [
            Description(
                component=truth.component,
                status="unverified" if truth.component in said else "abstained",
                concept=said.get(truth.component, ""),
            )
            for truth in TRUTHS
        ],
    )
    beside = {"one_shot": against(found, found), "linear": None}
    return Report("builtin", 3, "abc", "f" * 64, found, "tableau-llava", baselines=beside)


def test_each_unit_has_one_outcome(report: Report) -> None:
    told = [outcome(unit) for unit in report.as_json()["units"]]
    assert told == ["exact", "part of it", "something else", "nothing"]


def test_the_title_names_what_fails_most_and_leaves_aside_what_cannot_be_said(report: Report) -> None:
    assert finding(report.as_json()) == (
        "builtin says the very concept of 50% of units; it fails most on and (0%)"
    )


def test_the_figure_has_a_row_for_each_kind_and_kinds_outside_the_grammar_last(
    report: Report, tmp_path: Path
) -> None:
    figure = draw_bench(report.as_json())
    rows = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert rows == ["single (n = 1)", "and (n = 1)", "count (n = 1)"]
    save(figure, tmp_path / "bench.png")
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")
