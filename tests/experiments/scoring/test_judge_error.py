"""Beside a score stands how often its judge is wrong: as measured for the judge that ships, or that nobody knows."""

from __future__ import annotations

import json

import pytest

from experiments.registry import open_judge
from experiments.scoring.judge_error import RECORD, error_of
from experiments.scoring.judged import Judged
from experiments.tableau.polling import judge_error
from tests.experiments.scoring.facts import Facts, Table


def test_the_scene_graph_is_exact_and_of_other_judges_nobody_knows() -> None:
    assert error_of("scene graph") == "exact"
    assert error_of("openai/clip-vit-base-patch32") == "error not measured"


def test_the_embedded_judges_error_is_the_one_on_record_and_can_be_found_again(
    committed_weights: object,
) -> None:
    right = json.loads(RECORD.read_text(encoding="utf-8"))["balanced"]["phrases"]
    told = error_of("tableau-judge")
    assert told.startswith(f"wrong in {100 * (1 - right['accuracy']):.1f} % [")
    assert told.endswith(f"of {right['n']} phrases about painted scenes")
    again = judge_error(open_judge(), 100)
    assert again.all.low <= 1 - right["accuracy"] + 1e-9 and again.all.value < 0.05


@pytest.mark.parametrize(
    ("name", "planner", "mark"),
    [
        ("scene graph", "tableau-judge", "scene graph (exact)"),
        ("table", "table", "table (error not measured), shared judge"),
    ],
)
def test_the_mark_of_a_score_says_it(name: str, planner: str, mark: str) -> None:
    assert Judged(Table({"red": [0, 1]}), Facts(2), name=name).mark(planner) == mark
