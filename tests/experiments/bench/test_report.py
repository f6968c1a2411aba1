"""The report counts every unit, with intervals, and leaves open what was not measured."""

from __future__ import annotations

import json

import pytest

from experiments.bench.found import Found, Truth, compared
from experiments.bench.report import Report
from store.records import Claim, Description, Status

TRUTHS = (
    Truth("vision.0.mlp.1", "single", "red thing"),
    Truth("vision.0.mlp.2", "single", "star"),
    Truth("vision.0.mlp.3", "or", "red thing | star"),
    Truth("vision.0.mlp.4", "noise", ""),
    Truth("vision.0.mlp.5", "decoy", "blue thing"),
    Truth("vision.0.mlp.6", "exception", "red thing", exception="upper left"),
    Truth("vision.0.mlp.7", "untrained", ""),
    Truth("vision.0.mlp.8", "untrained", ""),
    Truth("vision.0.mlp.9", "count", "at least two stars"),
)


def said(
    number: int, concept: str, status: Status = "verified", text: str = "", **claims: Claim
) -> Description:
    return Description(
        component=f"vision.0.mlp.{number}",
        status=status,
        concept=concept,
        text=text,
        claims=dict(claims),
        seconds=2.0,
    )


@pytest.fixture
def report() -> Report:
    descriptions = [
        said(1, "a red thing & !ring"),
        said(2, "", "abstained"),
        said(3, "star"),
        said(4, "ring"),
        said(5, "blue", unused=Claim(verdict="yes")),
        said(6, "red thing", text="Red things, except in the upper left quarter [e1]."),
        said(7, "dark background"),
        said(8, "star", learned=Claim(verdict="yes")),
        said(9, "star"),
    ]
    return Report(
        "builtin", 0, "abc", "f" * 64, compared(TRUTHS, descriptions), "tableau-llava", "h" * 64, "0.1.0"
    )


def test_an_abstention_counts_as_a_miss(report: Report) -> None:
    single = report.as_json()["kinds"]["single"]
    assert (single["exact"], single["recall"], single["n"], single["verified"]) == (0, 0.5, 2, 1)
    assert single["ci"][0] == 0 < single["ci"][1]


def test_half_of_a_combination_is_half_recalled_and_half_of_a_sample_has_an_interval(report: Report) -> None:
    found = report.as_json()["kinds"]
    assert (found["or"]["exact"], found["or"]["recall"], found["or"]["precision"]) == (0, 0.5, 1)
    assert found["or"]["recall_ci"] is None and found["single"]["recall_ci"] == [0, 1]


def test_exceptions_are_named_or_invented(report: Report) -> None:
    found = report.as_json()
    assert found["kinds"]["exception"]["exact"] == found["exceptions"]["named"]["rate"] == 1
    assert (found["exceptions"]["invented"]["rate"], found["exceptions"]["invented"]["n"]) == (0.2, 5)


def test_kinds_outside_the_planners_grammar_are_told_apart(report: Report) -> None:
    found = report.as_json()
    assert found["outside_grammar"] == ["count", "xor"] and found["kinds"]["count"]["exact"] == 0


def test_words_that_are_verified_about_noise_are_a_false_claim(report: Report) -> None:
    claims = report.as_json()["false_claims"]
    assert claims["noise"]["rate"] == 1 and claims["noise"]["n"] == 1


def test_accurate_words_about_an_untrained_unit_are_none_but_that_it_learned_them_is(report: Report) -> None:
    found = report.as_json()["false_claims"]["untrained"]
    assert (found["rate"], found["n"], found["verified"]) == (0.5, 2, 2)
    assert (found["claims"]["learned"]["rate"], found["claims"]["necessary"]["rate"]) == (0.5, 0)


def test_a_decoy_may_be_called_unused_and_not_necessary(report: Report) -> None:
    decoy = report.as_json()["planted"]["decoy"]
    assert (decoy["unused"]["rate"], decoy["necessary"]["rate"]) == (1, 0)


def carried(number: int, gain: float | None, concept: str = "", **claims: Claim) -> Found:
    truth = Truth(f"vision.0.mlp.{number}", "wired" if gain is not None else "head", "star", gain)
    return Found(
        truth, Description(component=truth.component, status="verified", concept=concept, claims={**claims})
    )


def yes(about: str = "") -> Claim:
    return Claim(verdict="yes", about=about)


def test_a_wired_neuron_that_misleads_is_not_counted_among_those_that_could_be_called_necessary() -> None:
    found = (carried(1, 0.4, necessary=yes()), carried(2, 0.2), carried(3, -0.9, unused=yes()))
    planted = Report("builtin", 0, "abc", "f" * 64, found).as_json()["planted"]
    assert [planted[name]["necessary"]["n"] for name in ("wired", "helping", "misleading")] == [3, 2, 1]
    assert planted["helping"]["necessary"]["rate"] == 0.5
    assert (planted["misleading"]["unused"]["rate"], planted["helping"]["unused"]["rate"]) == (1, 0)


def test_of_a_planted_head_each_claim_counts_only_where_it_is_about_colors() -> None:
    right = carried(1, None, "star", writes=yes("color"), when_cut=yes("color"))
    open_ = Claim(verdict="undetermined", about="color")
    wrong = carried(2, None, "ring", writes=yes("against color"), when_cut=open_)
    report = Report("builtin", 0, "abc", "f" * 64, (right, wrong)).as_json()
    head = report["planted"]["head"]
    names = ("named", "writes color", "when_cut color")
    assert [(head[name]["rate"], head[name]["n"]) for name in names] == [(0.5, 2)] * 3
    assert [unit["when_cut"]["verdict"] for unit in report["units"]] == ["yes", "undetermined"]


def test_the_record_says_what_was_measured_by_which_code(report: Report) -> None:
    found = report.as_json()
    names = ("target", "target_fingerprint", "fingerprint", "seed", "planner", "version")
    assert [found[name] for name in names] == ["tableau-llava", "h" * 64, "f" * 64, 0, "builtin", "0.1.0"]


def test_what_was_not_measured_is_null(report: Report) -> None:
    found = report.as_json()
    assert found["kinds"]["xor"] is found["false_claims"]["dead"] is found["planted"]["head"] is None
    assert found["seconds_per_unit"] == 2.0
    assert json.loads(json.dumps(found, allow_nan=False)) == found
