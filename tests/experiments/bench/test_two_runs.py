"""Two runs agree where both verified words that mean the same, or hold in the same pictures, of one reading."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from experiments.bench.two_runs import ALIKE, agreement
from store.errors import UserError
from store.records import Description, Reading
from tools.scoring.intervals import wilson

N = 400
RNG = np.random.default_rng(233)
RED, STAR = (RNG.random(N) < 0.4).astype(float), (RNG.random(N) < 0.3).astype(float)
COLUMNS = {
    "red": RED,
    "star": STAR,
    "heart": np.where(RNG.random(N) < 0.04, 1 - RED, RED),
    "moon": np.where(RNG.random(N) < 0.25, 1 - RED, RED),
}


def column(phrase: str) -> np.ndarray:
    if phrase not in COLUMNS:
        raise UserError(f"`{phrase}` is not a known word", kind="unknown_phrase")
    return COLUMNS[phrase]


def said(place: int, concept: str, status: str = "verified", **more: Any) -> Description:
    return Description.model_validate(
        {"component": f"language.0.mlp.{place}", "status": status, "concept": concept, **more}
    )


def verdict(first: Description, second: Description) -> str:
    (one,) = agreement([first], [second], column).both
    return one.verdict


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("red", "red", "same concept"),
        ("red | star", "star | crimson", "same concept"),
        ("0.7 red + 0.3 star", "0.3 star + 0.7 crimson", "same concept"),
        ("red", "heart", "same pictures"),
        ("red", "moon", "other concept"),
        ("red", "star", "other concept"),
        ("red", "!red", "other concept"),
        ("red", "zebra", "other concept"),
        ("zebra", "zebra", "same concept"),
    ],
)
def test_words_are_compared_by_meaning_and_by_the_pictures_in_which_they_hold(
    one: str, other: str, told: str
) -> None:
    assert verdict(said(0, one), said(0, other)) == told


def test_the_correlation_is_that_of_the_presences() -> None:
    (both,) = agreement([said(0, "red")], [said(0, "heart")], column).both
    assert both.alike == pytest.approx(np.corrcoef(RED, COLUMNS["heart"])[0, 1])
    assert both.alike is not None and both.alike > ALIKE > np.corrcoef(RED, COLUMNS["moon"])[0, 1]


def test_one_concept_at_other_tokens_or_of_the_other_side_is_not_the_same_words() -> None:
    for reading in (Reading(sign="-"), Reading(scope="question")):
        assert verdict(said(0, "red"), said(0, "red", reading=reading)) == "other reading"


def test_only_what_the_second_verified_counts_and_what_the_first_did_not_is_no_agreement() -> None:
    first = [
        said(0, "red"),
        said(1, "red", "unverified"),
        said(2, "", "abstained"),
        said(3, "star"),
        said(4, "red"),
    ]
    second = [said(0, "red"), said(1, "red"), said(2, "red"), said(3, "red", "unverified"), said(5, "red")]
    found = agreement(first, second, column)
    assert [one.verdict for one in found.both] == [
        "same concept",
        "first not verified",
        "first not verified",
        "not verified",
    ]
    assert found.agree == wilson(1, 3) and found.agree_where_both_verified == wilson(1, 1)
    assert found.only_one == 2


def test_the_share_of_concepts_leaves_readings_aside() -> None:
    low = Reading(sign="-")
    found = agreement(
        [said(0, "red"), said(1, "red")], [said(0, "red", reading=low), said(1, "star")], column
    )
    assert found.agree == wilson(0, 2) and found.one_concept == wilson(1, 2)


def test_nothing_in_common_is_refused_and_nothing_verified_has_no_share() -> None:
    with pytest.raises(UserError, match="describe no component in common"):
        agreement([said(0, "red")], [said(1, "red")], column)
    found = agreement([said(0, "red")], [said(0, "red", "unverified")], column).as_json()
    assert (found["agree"], found["components"][0]["verdict"]) == (None, "not verified")
