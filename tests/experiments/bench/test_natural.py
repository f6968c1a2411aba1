"""Natural units: the planner's ρ beside that of the best phrase, which was chosen where nothing is tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from experiments.bench.found import Found, Truth
from experiments.bench.natural import Best, beside_best, best_on
from store.records import Description, Reading, Score

PLUS, MINUS = Reading(), Reading(sign="-")


def said(number: int, rho: float | None) -> Found:
    component = f"vision.0.mlp.{number}"
    scores = {} if rho is None else {"pearson": Score(value=rho, ci=(0, 1), n=40, split="test")}
    concept = "" if rho is None else "star"
    description = Description(
        component=component, status="unverified" if concept else "abstained", concept=concept, scores=scores
    )
    return Found(Truth(component, "natural", ""), description)


def test_the_ratio_is_a_median_in_which_an_abstention_counts_nothing() -> None:
    found = [said(1, 0.8), said(2, 0.3), said(3, None), said(4, 0.5)]
    best = [
        Best("star", PLUS, 0.8),
        Best("ring", PLUS, 0.6),
        Best("moon", PLUS, 0.5),
        Best("red", PLUS, -0.1),
    ]
    told = beside_best(found, best) or {}
    assert (told["median"], told["n"], told["left_out"]) == (0.5, 3, 1)
    assert told["ci"][0] == 0 and told["ci"][1] == 1
    assert [one["ratio"] for one in told["units"]] == [1.0, 0.5, 0.0, None]


def test_without_a_phrase_that_holds_there_is_no_ratio() -> None:
    assert beside_best([said(1, 0.8)], [None]) is None
    alone = beside_best([said(1, 0.8)], [Best("star", PLUS, 0.4)]) or {}
    assert (alone["median"], alone["ci"], alone["n"]) == (2.0, None, 1)


@dataclass
class Table:
    """Correlations of phrases by reading, as a split knows them."""

    known: Mapping[str, list[float]]
    phrases: tuple[str, ...] = ("star", "ring")

    def correlations(self, component: str, reading: Reading) -> Float[np.ndarray, "phrase"] | None:
        rows = self.known.get(str(reading))
        return np.array(rows) if rows else None


def test_the_best_phrase_is_chosen_on_select_and_scored_on_test() -> None:
    select = Table({str(PLUS): [0.5, 0.4], str(MINUS): [0.1, 0.6]})
    test = Table({str(PLUS): [0.9, 0.9], str(MINUS): [0.9, 0.3]})
    best = best_on(select, test, "vision.0.mlp.1")  # type: ignore[arg-type]  # a split of numbers
    assert best == Best("ring", MINUS, 0.3)
    silent = best_on(Table({}), test, "vision.0.mlp.1")  # type: ignore[arg-type]  # a split of numbers
    assert silent is None
