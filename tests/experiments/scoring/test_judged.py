"""A judge is asked once for each phrase, and what it said is kept by judge and pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.scoring.judged import Judged
from store.errors import UserError
from tests.experiments.scoring.facts import Facts, Table
from tests.tools.small import SquareJudge, Squares

N = 150


@pytest.fixture
def table() -> Table:
    rng = np.random.default_rng(0)
    return Table({word: rng.random(N) for word in ("red", "star", "moon")})


def test_columns_are_what_the_judge_says_in_the_order_of_the_source(table: Table) -> None:
    judged = Judged(table, Facts(N), name="table")
    np.testing.assert_array_equal(judged.column("star"), table.columns["star"])
    np.testing.assert_array_equal(judged.columns(["moon", "red"])[1], table.columns["red"])
    assert judged.columns([]).shape == (0, N)


def test_a_phrase_is_judged_once(table: Table) -> None:
    judged = Judged(table, Facts(N), name="table")
    judged.prepare(["red", "star", "red"])
    asked = table.asked
    judged.column("red")
    judged.prepare(["star", "red"])
    assert table.asked == asked <= 2 * N + 2


def test_what_was_judged_outlives_the_process(table: Table, tmp_path: Path) -> None:
    Judged(table, Facts(N), name="table", folder=tmp_path).prepare(["red"])
    Judged(table, Facts(N), name="table", folder=tmp_path).prepare(["star", "red"])
    asked = table.asked
    again = Judged(table, Facts(N), name="table", folder=tmp_path)
    np.testing.assert_array_equal(again.columns(["red", "star"])[0], table.columns["red"])
    assert table.asked == asked and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("other", ["judge", "fingerprint", "pictures"])
def test_another_judge_or_other_pictures_are_judged_anew(table: Table, tmp_path: Path, other: str) -> None:
    Judged(table, Facts(N), name="table", folder=tmp_path).prepare(["red"])
    asked = table.asked
    Judged(
        table,
        Facts(N, "select" if other == "pictures" else "test"),
        name="another" if other == "judge" else "table",
        fingerprint="1" if other == "fingerprint" else "",
        folder=tmp_path,
    ).prepare(["red"])
    assert table.asked > asked


def test_a_phrase_that_is_not_understood_does_not_stop_the_others(table: Table) -> None:
    judged = Judged(table, Facts(N), name="table")
    judged.prepare(["red", "zebra", "moon"])
    assert judged.knows("red") and not judged.knows("zebra")
    with pytest.raises(UserError, match="`zebra` is not a known word"):
        judged.column("zebra")


def test_a_judge_that_sees_pixels_is_asked_the_same_way() -> None:
    judged = Judged(SquareJudge(), Squares("test", 6), name="squares")
    assert (judged.column("red") > 0.5).tolist() == [True, False, False] * 2


def test_a_score_says_when_planner_and_scorer_share_a_judge(table: Table) -> None:
    judged = Judged(table, Facts(N), name="table")
    assert judged.mark("seeing judge") == "table (error not measured)"
    assert judged.mark("table") == "table (error not measured), shared judge"
