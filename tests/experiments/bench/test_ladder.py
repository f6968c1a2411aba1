"""A ladder holds the records of several benches against the bars, each by itself and pooled by counts and units."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from experiments.bench.against import against
from experiments.bench.found import Found, Truth, compared
from experiments.bench.ladder import ladder
from experiments.bench.ladder_figure import draw_ladder, finding
from experiments.bench.report import Report
from experiments.commands.app import run
from experiments.tableau.drawing import save
from store.errors import UserError
from store.records import Claim, Description, Score
from tools.scoring.intervals import wilson

TRUTHS = (
    Truth("vision.0.mlp.1", "single", "red thing"),
    Truth("vision.0.mlp.2", "single", "star"),
    Truth("vision.0.mlp.3", "exception", "ring", exception="upper left"),
    Truth("vision.0.mlp.4", "noise", ""),
    Truth("vision.0.mlp.5", "decoy", "blue thing", 0.0),
    Truth("vision.0.mlp.6", "untrained", ""),
)
RIGHT = ("red thing", "star", "ring", "", "blue thing", "ring")


def found(said: tuple[str, ...], rho: float, **claims: Claim) -> tuple[Found, ...]:
    score = Score(value=rho, ci=(0, 1), n=40, split="test")
    return compared(
        TRUTHS,
        [
            Description(
                component=truth.component,
                status="verified" if concept else "abstained",
                concept=concept,
                scores={"pearson": score} if concept else {},
                claims=dict(claims) if truth.kind in ("decoy", "untrained") else {},
                seconds=3.0,
            )
            for truth, concept in zip(TRUTHS, said, strict=True)
        ],
    )


def record(
    seed: int, said: tuple[str, ...] = RIGHT, ratios: tuple[float, ...] = (0.9, 0.7)
) -> dict[str, Any]:
    """One bench: a planner with ρ 0.8 where it speaks, a baseline with 0.5."""
    ours = found(said, 0.8, unused=Claim(verdict="yes"))
    natural = {"median": 0.8, "ci": None, "n": len(ratios), "units": [{"ratio": one} for one in ratios]}
    report = Report(
        "builtin",
        seed,
        f"run{seed}",
        f"print{seed}",
        ours,
        target="tableau-llava",
        version="1",
        baselines={"one_shot": against(ours, found(RIGHT, 0.5)), "linear": None},
        natural=natural,
    )
    made: dict[str, Any] = json.loads(json.dumps(report.as_json()))
    return made


def rows(*records: Mapping[str, Any]) -> dict[str, Any]:
    return {row["what"]: row for row in ladder(records)["bars"]}


def test_counts_of_all_seeds_are_pooled_and_held_against_the_bar() -> None:
    told = rows(record(1), record(2, ("", "star | moon", "ring", "star", "", "")))
    single = told["single: exact"]
    assert [seed["value"] for seed in single["seeds"]] == [1, 0] and [s["met"] for s in single["seeds"]] == [
        True,
        False,
    ]
    expected = wilson(2, 4)
    assert single["pooled"]["ci"] == [expected.low, expected.high]
    assert (single["pooled"]["value"], single["pooled"]["met"], single["pooled"]["enough"]) == (
        0.5,
        False,
        False,
    )
    split = told["single: told as several"]["pooled"]
    assert (split["value"], split["n"], split["met"]) == (0.25, 4, False)
    assert told["noise: verified all the same"]["pooled"]["value"] == 0.5
    assert (
        told["decoys called unused"]["pooled"]["met"] and told["untrained: called learned"]["pooled"]["met"]
    )


def test_what_no_record_measured_has_no_row_and_what_one_measured_has() -> None:
    without = record(1)
    without["planted"]["decoy"] = None
    told = rows(without, record(2))
    assert "wired called unused" not in told and "and: exact" not in told
    assert told["decoys called unused"]["seeds"][0] is None
    assert told["decoys called unused"]["pooled"]["n"] == 1


def test_ratios_and_differences_are_pooled_unit_by_unit() -> None:
    told = rows(record(1), record(2, ratios=(0.2, 0.85, 0.95)))
    natural = told["natural: ρ / best phrase's ρ"]["pooled"]
    assert (natural["value"], natural["n"], natural["met"]) == (0.85, 5, True)
    ahead = told["test ρ ahead of one shot"]["pooled"]
    assert ahead["value"] == pytest.approx(0.3) and ahead["n"] == 8 and ahead["met"]
    assert "test ρ ahead of linear" not in told


@pytest.mark.parametrize("kind", ["untrained", "natural"])
def test_a_component_of_another_model_is_not_taken_for_the_unit_of_its_address(kind: str) -> None:
    one = record(1)
    one["units"].append(one["units"][0] | {"kind": kind, "test_pearson": -1.0})
    assert rows(one)["test ρ ahead of one shot"]["pooled"]["value"] == pytest.approx(0.3)


def test_a_difference_that_may_be_nothing_does_not_clear_its_bar() -> None:
    one = record(1)
    one["baselines"]["one_shot"]["units"][0]["rho"] = 0.5 + 3
    ahead = rows(one)["test ρ ahead of one shot"]["pooled"]
    assert ahead["ci"][0] < 0 and not ahead["met"]


def test_records_that_are_older_than_a_number_lack_it_alone() -> None:
    old = record(1)
    del old["natural"], old["baselines"]["one_shot"]["units"]
    told = rows(old, record(2))
    assert told["natural: ρ / best phrase's ρ"]["seeds"][0] is None
    assert told["test ρ ahead of one shot"]["pooled"]["n"] == 4


@pytest.mark.parametrize(
    ("records", "complaint"),
    [
        ([record(1), record(1)], "of the same units"),
        ([record(1), record(2) | {"planner": "openai:some"}], "different `planner`: builtin, openai:some"),
        ([record(1), {"runs": []}], "file 2 is no record of a bench"),
    ],
)
def test_what_can_not_be_taken_together_is_refused(records: list[dict[str, Any]], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        ladder(records)


def test_the_figure_names_what_is_missed(tmp_path: Path) -> None:
    told = ladder([record(1), record(2)])
    assert finding(told) == "builtin meets 10 of 11 bars; it misses exceptions named"
    figure = draw_ladder(told)
    left, right = figure.axes
    assert "exceptions named ≥ 0.5: missed (n = 2)" in [one.get_text() for one in left.get_yticklabels()]
    assert len(right.get_yticklabels()) == 2
    save(figure, tmp_path / "ladder.png")
    assert (tmp_path / "ladder.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_reads_files_and_says_which_one_it_can_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / f"{seed}.json" for seed in (1, 2)]
    for seed, path in enumerate(files, 1):
        path.write_text(json.dumps(record(seed)), encoding="utf-8")
    assert run(["bench", "ladder", *map(str, files), "--figure", str(tmp_path / "ladder.png")]) == 0
    told = capsys.readouterr().out
    assert "seed 1" in told and "single: exact" in told and "met, few units" in told and "0.80" in told
    assert (tmp_path / "ladder.png").is_file()
    assert run(["bench", "ladder", *map(str, files), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seeds"] == [1, 2]
    files[0].write_text("{", encoding="utf-8")
    assert run(["bench", "ladder", *map(str, files)]) == 1
    assert f"`{files[0]}` can't be read" in capsys.readouterr().err
