"""`maieutic bench truth` refuses what it can't share out, and prints every unit and every share that was measured."""

from __future__ import annotations

import pytest

from experiments.bench.against import against
from experiments.bench.found import Truth, compared
from experiments.bench.kinds import KINDS as UNITS
from experiments.bench.report import Report
from experiments.bench.spared import spared
from experiments.commands.app import run
from experiments.commands.truth import KINDS, lacking_of, none_or_all
from experiments.commands.truth_tables import print_report
from store.records import Claim, Description

TRUTHS = (
    Truth("vision.0.mlp.1", "single", "red thing"),
    Truth("vision.0.mlp.2", "noise", ""),
    Truth("vision.0.mlp.3", "decoy", "blue thing", 0.0),
    Truth("vision.0.mlp.4", "count", "at least two stars"),
    Truth("vision.0.mlp.5", "exception", "red thing", exception="upper left"),
)


def test_fewer_units_than_kinds_are_refused_unless_none_are_wanted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["bench", "truth", "--units", "10"]) == 2
    assert "--units" in capsys.readouterr().err
    assert len(UNITS) == KINDS and none_or_all(0) == 0


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--without", "words"), "`words` is no part of the built-in planner"),
        (("--without", "pairs", "--planner", "openai:some"), "`openai:some` has no parts"),
    ],
)
def test_what_is_no_part_is_refused_before_anything_is_opened(
    words: tuple[str, ...], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", "truth", *words]) == 2
    assert complaint in capsys.readouterr().err


def test_several_parts_can_be_taken_away_together() -> None:
    assert lacking_of("builtin", "pairs,leads+facets") == [{"pairs"}, {"leads", "facets"}]
    assert lacking_of("builtin:no-causal", "pairs") == [{"causal", "pairs"}]
    assert lacking_of("openai:some", "") == []


def test_the_tables_show_units_kinds_and_claims(capsys: pytest.CaptureFixture[str]) -> None:
    said = [
        Description(component="vision.0.mlp.1", status="verified", concept="crimson", seconds=1.0),
        Description(component="vision.0.mlp.2", status="abstained", seconds=1.0),
        Description(
            component="vision.0.mlp.3",
            status="verified",
            concept="blue",
            seconds=1.0,
            claims={"unused": Claim(verdict="yes")},
        ),
    ]
    said += [
        Description(component=f"vision.0.mlp.{number}", status="abstained", seconds=1.0) for number in (4, 5)
    ]
    found = compared(TRUTHS, said)
    beside = {"one_shot": against(found, found), "linear": None}
    less = spared(found, "def", found)
    natural = {"median": 0.9, "ci": [0.8, 1.1], "n": 7, "left_out": 1, "units": []}
    print_report(
        Report(
            "builtin",
            3,
            "abc",
            "f" * 64,
            found,
            baselines=beside,
            parts={"builtin:no-pairs": less},
            natural=natural,
        )
    )
    told = capsys.readouterr().out
    assert "crimson" in told and "seed 3" in told and "1.0 seconds and 0 forwards a unit" in told
    assert "red thing, except upper left" in told and "exceptions named" in told
    assert "count" in told[told.index("outside the planner's grammar") :]
    assert "labels without experiments" in told and "one_shot" in told and "linear" not in told
    assert "builtin:no-pairs: with → without" in told and "0.50 → 0.50" in told
    assert "0.90 [0.80, 1.10]" in told
    assert "false claims on noise" in told and "decoy: called unused" in told


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (("--editor", ""), 2, "the exact editor needs no bench"),
        (("--editor", "no-such-editor"), 1, "`no-such-editor` is neither an embedded editor"),
        (("--figure", "sheet.txt"), 2, "sheet.txt"),
    ],
)
def test_a_bench_of_edits_refuses_what_it_can_not_try(
    words: tuple[str, ...], code: int, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", "edits", *words]) == code
    assert complaint in capsys.readouterr().err
