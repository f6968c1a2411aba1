"""Curves count every step once, however often a training was stopped, and can be drawn from their record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.tableau.train.curves import POINTS, counted, draw, export, floors, joined, record
from store.errors import UserError


def row(stage: str, step: int, seconds: float, **figures: float) -> dict[str, Any]:
    return {"stage": stage, "step": step, "loss": 10.0 / step, "seconds": seconds} | figures


ROWS = [
    row("text", 10, 60),
    row("text", 20, 120, **{"heldout color": 0.2}),
    row("align", 10, 180),
    row("align", 20, 240),
    row("align", 15, 210, **{"heldout color": 0.9}),
    row("align", 30, 300, **{"heldout color": 0.98, "heldout size": 0.5}),
]
"""The training was stopped after step 20 of `align` and resumed from its checkpoint at step 10."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    training = tmp_path / "llava"
    training.mkdir()
    (training / "log.jsonl").write_text("".join(json.dumps(one) + "\n" for one in ROWS), encoding="utf-8")
    return training


def test_steps_that_were_taken_again_count_once() -> None:
    kept = [(one["stage"], one["step"]) for one in counted(ROWS)]
    assert kept == [("text", 10), ("text", 20), ("align", 10), ("align", 15), ("align", 30)]


def test_the_record_knows_stages_and_held_out_figures(folder: Path) -> None:
    curves = record(folder)
    assert curves["stages"] == [
        {"name": "text", "from": 0.0, "steps": 20, "to": 2.0},
        {"name": "align", "from": 2.0, "steps": 30, "to": 5.0},
    ]
    assert curves["heldout"] == {"color": [[2.0, 0.2], [3.5, 0.9], [5.0, 0.98]], "size": [[5.0, 0.5]]}
    assert curves["loss"] == [[[1.0, 1.0], [2.0, 0.5]], [[3.0, 1.0], [3.5, 0.6667], [5.0, 0.3333]]]


def test_a_training_that_went_on_stands_behind_the_one_before(folder: Path) -> None:
    earlier = record(folder)
    (folder / "log.jsonl").write_text(json.dumps(row("count", 5, 30, **{"heldout color": 0.99})) + "\n")
    both = joined(earlier, record(folder))
    assert [stage["name"] for stage in both["stages"]] == ["text", "align", "count"]
    assert both["stages"][-1] == {"name": "count", "from": 5.0, "steps": 5, "to": 5.5}
    assert both["heldout"]["color"][-1] == [5.5, 0.99]
    assert joined(both, record(folder)) == both


def test_long_logs_are_thinned(folder: Path) -> None:
    rows = [row("text", step, step) for step in range(1, 3000)]
    (folder / "log.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    ((*points,),) = record(folder)["loss"]
    assert POINTS / 2 < len(points) <= POINTS


def test_the_figure_states_the_floors_that_are_met(folder: Path, tmp_path: Path) -> None:
    curves = record(folder)
    assert floors(curves) == ["color"]
    figure = draw(curves)
    assert figure._suptitle.get_text() == (  # type: ignore[attr-defined]
        "llava: 1 of 1 figures of the training loop reach their floors after 5 minutes of training"
    )
    assert floors(curves | {"name": "clip"}) == []
    written = export(folder, tmp_path / "results")
    assert [path.name for path in written] == ["curves-llava.json", "curves-llava.png"]
    first = written[1].read_bytes()
    export(folder, tmp_path / "results")
    assert written[1].read_bytes() == first


def test_a_training_that_never_ran_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist") as caught:
        record(tmp_path / "clip")
    assert caught.value.hint == "run `python -m experiments.tableau.train clip` first"
