"""Head effects by two sets of pairs: the same sets agree fully, unrelated ones do not."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.reproduce.effects import Effects
from experiments.reproduce.two_editors import BAR, Beside, as_json


def effects(strength: np.ndarray, noise: float, seed: int, pairs: int = 60) -> Effects:
    """Heads that restore so much of a gap of 1 each, with noise from pair to pair."""
    rng = np.random.default_rng(seed)
    restored = strength[:, None] + noise * rng.standard_normal((len(strength), pairs))
    return Effects(np.ones(pairs), np.zeros(pairs), restored)


HEADS = np.random.default_rng(5).permutation(np.linspace(-0.2, 0.6, 30))
OTHER = np.random.default_rng(6).permutation(HEADS)


def test_pairs_that_show_the_same_heads_reach_the_bar() -> None:
    told = as_json({"color": Beside(effects(HEADS, 0.6, 1), effects(HEADS, 0.6, 2))}, {})
    one = told["kinds"]["color"]
    assert one["ratio"] == pytest.approx(told["ratio"], abs=1e-3) and told["ratio"] > 0.9
    assert one["reliability"]["value"] < 0.99
    low, high = one["correlation"]["ci"]
    assert low <= one["correlation"]["value"] <= high and low < high
    assert "they reach the bar" in told["finding"]


def test_pairs_that_show_other_heads_do_not() -> None:
    told = as_json({"color": Beside(effects(HEADS, 0.3, 1), effects(OTHER, 0.3, 2))}, {})
    assert told["ratio"] < BAR and "they do not reach the bar" in told["finding"]


def test_the_control_is_the_agreement_with_other_kinds_of_question() -> None:
    kinds = {
        "color": Beside(effects(HEADS, 0.1, 1), effects(HEADS, 0.1, 2)),
        "shape": Beside(effects(OTHER, 0.1, 3), effects(OTHER, 0.1, 4)),
    }
    told = as_json(kinds, {"editor": "some model"})
    assert told["editor"] == "some model"
    for kind in kinds:
        one = told["kinds"][kind]
        assert one["correlation"]["value"] > 0.9 > 0.5 > abs(one["other_kinds"])
        assert one["pairs"] == {"exact": 60, "edited": 60}


def test_gaps_of_both_sides_are_told() -> None:
    told = as_json({"color": Beside(effects(HEADS, 0.3, 1), effects(HEADS, 0.3, 2, pairs=40))}, {})
    assert told["kinds"]["color"]["gap"]["edited"]["value"] == pytest.approx(1.0)
    assert told["kinds"]["color"]["correlation"]["n"] == 40
