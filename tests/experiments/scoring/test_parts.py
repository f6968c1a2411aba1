"""What can be called learned of a concept that untrained copies were not searched for: a part of it."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.scoring.judged import Judged
from experiments.scoring.parts import best_part, searched_parts
from experiments.scoring.seal import learned
from tests.experiments.scoring.facts import Facts, Table
from tests.experiments.scoring.test_seal import RED, N, outcome
from tools.scoring.concept import read


@pytest.mark.parametrize(
    ("concept", "parts"),
    [
        ("star & !moon", ["star"]),
        ("star | moon | ring", ["star", "moon", "ring", "moon | star", "ring | star", "moon | ring"]),
        ("(star | moon) & ring", ["star", "moon", "moon | star", "ring", "ring & star", "moon & ring"]),
        ("1.0 star + 0.5 moon", ["star", "moon", "moon | star"]),
        ("!star", []),
        ("star except red", ["star"]),
        ("star in the upper left | moon except dotted", ["star", "moon", "moon | star"]),
    ],
)
def test_parts_are_phrases_and_two_of_them_joined_as_the_concept_joins_them(
    concept: str, parts: list[str]
) -> None:
    assert sorted(searched_parts(read(concept))) == sorted(parts)


def test_the_part_that_exceeds_its_own_null_most_is_chosen() -> None:
    judged = Judged(Table({"red": RED, "star": np.arange(N) % 3 == 0}), Facts(N), name="table")
    values = RED + 0.1 * np.random.default_rng(0).normal(size=N)
    low = {"star": 0.1, "red": 0.2}
    assert best_part(["star", "red"], values, judged, low.get) == "red"
    assert (
        best_part(["star", "red"], values + judged.column("star"), judged, {"star": 0.1, "red": 0.9}.get)
        == "star"
    )
    assert best_part(["star", "red"], values, judged, {"star": 0.1}.get) == "star"


def test_a_concept_is_learned_where_a_part_of_it_is_which_the_claim_is_about_then() -> None:
    for concept, null in (("red & !star", 0.01), ("red & !star", 0.995), ("red & red", 0.995)):
        whole = outcome(concept, null=null, noise=0.4)
        assert whole.status == "verified"
        above, below = (learned(whole, outcome("red", null=bar)) for bar in (0.2, 0.999))
        assert (above.verdict, above.about, above.control) == ("yes", "red", 0.2)
        assert (below.verdict, below.about) == ("no" if null > 0.9 else "undetermined", "")


def test_no_part_lifts_words_that_are_not_accurate() -> None:
    assert learned(outcome("star & !red", null=-1.0), outcome("red", null=0.2)).verdict == "undetermined"
