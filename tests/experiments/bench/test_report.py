"""The report counts every unit, with intervals, and leaves open what was not measured."""

from __future__ import annotations

import json

import pytest

from experiments.bench.report import Report, Truth, compared
from store.records import Claim, Description, Status

TRUTHS = (
    Truth("vision.0.mlp.1", "single", "red thing"),
    Truth("vision.0.mlp.2", "single", "star"),
    Truth("vision.0.mlp.3", "or", "red thing | star"),
    Truth("vision.0.mlp.4", "noise", ""),
    Truth("vision.0.mlp.5", "decoy", "blue thing"),
)


def said(number: int, concept: str, status: Status = "verified", **claims: Claim) -> Description:
    return Description(
        component=f"vision.0.mlp.{number}", status=status, concept=concept, claims=dict(claims), seconds=2.0
    )


@pytest.fixture
def report() -> Report:
    descriptions = [
        said(1, "a red thing"),
        said(2, "", "abstained"),
        said(3, "star"),
        said(4, "ring"),
        said(5, "blue", unused=Claim(verdict="yes")),
    ]
    return Report("builtin", 0, "abc", "f" * 64, compared(TRUTHS, descriptions))


def test_an_abstention_counts_as_a_miss(report: Report) -> None:
    single = report.as_json()["kinds"]["single"]
    assert (single["exact"], single["recall"], single["n"], single["verified"]) == (0.5, 0.5, 2, 1)
    assert single["ci"][0] < 0.5 < single["ci"][1]


def test_half_of_a_combination_is_half_recalled(report: Report) -> None:
    found = report.as_json()["kinds"]["or"]
    assert (found["exact"], found["recall"], found["precision"]) == (0, 0.5, 1)


def test_words_that_are_verified_about_noise_are_a_false_claim(report: Report) -> None:
    claims = report.as_json()["false_claims"]
    assert claims["noise"]["rate"] == 1 and claims["noise"]["n"] == 1


def test_a_decoy_may_be_called_unused_and_not_necessary(report: Report) -> None:
    decoy = report.as_json()["planted"]["decoy"]
    assert (decoy["unused"]["rate"], decoy["necessary"]["rate"]) == (1, 0)


def test_what_was_not_measured_is_null(report: Report) -> None:
    found = report.as_json()
    assert found["kinds"]["xor"] is found["false_claims"]["untrained"] is found["planted"]["head"] is None
    assert set(found["baselines"].values()) == {None}
    assert found["seconds_per_unit"] == 2.0
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_component_that_was_never_described_is_not_passed_over() -> None:
    with pytest.raises(KeyError):
        compared(TRUTHS, [])
