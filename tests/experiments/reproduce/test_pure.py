"""What reproductions compute from numbers alone: distances, sharing, recurrence, roles, shares of a gap."""

from __future__ import annotations

from math import comb, pi, sqrt

import numpy as np
import pytest

from experiments.reproduce.effects import Effects, agreement, by_chance, reliability
from experiments.reproduce.recurring import jaccard, recurring
from experiments.reproduce.roles import role
from experiments.reproduce.sharing import sharing, top
from store.values import Estimate
from tools.methods.manifold import neighbor_z, norm_z

RANDOM = np.random.default_rng(7)


def sure(value: float) -> Estimate:
    return Estimate(value, value - 0.1, value + 0.1, 20)


def made(shares: list[float], pairs: int = 24, noise: float = 0.05) -> Effects:
    """Effects whose heads restore these shares of a gap of 2, with noise from pair to pair."""
    clean, corrupt = np.ones(pairs), -np.ones(pairs)
    restored = 2 * np.array(shares)[:, None] + RANDOM.normal(0, noise, (len(shares), pairs))
    return Effects(clean, corrupt, restored)


def test_gaussian_norms_are_as_far_from_their_reference_as_a_normal_variable_from_zero() -> None:
    found = norm_z(RANDOM.normal(5, 2, 4000), RANDOM.normal(5, 2, 4000))
    assert found.mean() == pytest.approx(sqrt(2 / pi), abs=0.03)


def test_a_norm_three_deviations_away_has_z_three() -> None:
    reference = np.array([-1.0, 1.0] * 50) * sqrt(0.99)
    assert norm_z(reference, np.array([3.0, -3.0])) == pytest.approx([3.0, 3.0])


def test_runs_like_the_reference_lie_as_far_from_it_as_it_does_from_itself() -> None:
    reference, alike = RANDOM.normal(size=(200, 6)), RANDOM.normal(size=(200, 6))
    assert abs(neighbor_z(reference, alike).mean()) < 0.3
    assert (neighbor_z(reference, alike + 8) > 5).all()


def test_shared_members_over_all_members() -> None:
    assert jaccard(frozenset({1, 2, 3}), frozenset({2, 3, 4})) == 0.5
    assert jaccard(frozenset(), frozenset()) == 1 and jaccard(frozenset({1}), frozenset()) == 0


def test_heads_recur_by_chance_as_often_as_drawing_without_order_says() -> None:
    chosen = np.zeros((4, 20), dtype=bool)
    for kind in range(4):
        chosen[kind, 5 * kind : 5 * kind + 5] = True
    found = recurring(chosen, [place // 4 for place in range(20)], 3, seed=1)
    expected = 20 * sum(comb(4, k) * 0.25**k * 0.75 ** (4 - k) for k in (3, 4))
    assert found.heads == () and found.p == 1
    assert found.expected == pytest.approx(expected, rel=0.1)


def test_heads_that_stand_out_in_every_kind_do_not_recur_by_chance() -> None:
    chosen = np.zeros((4, 20), dtype=bool)
    chosen[:, :3] = True
    found = recurring(chosen, [0] * 20, 3, seed=1)
    assert found.heads == (0, 1, 2) and found.p < 0.01 and found.layered_p < 0.01


def test_chance_inside_layers_knows_that_a_whole_layer_recurs() -> None:
    chosen = np.zeros((4, 20), dtype=bool)
    chosen[:, :3] = True
    found = recurring(chosen, [0] * 3 + [1] * 17, 3, seed=1)
    assert found.layered_expected == 3 and found.layered_p == 1


@pytest.mark.parametrize(
    ("effect", "most", "named"),
    [
        (0.2, "asked", "detection"),
        (-0.2, "asked", "inhibition"),
        (0.2, "others", "inhibition"),
        (0.2, "ground", "outlier"),
        (-0.2, "outliers", "outlier"),
    ],
)
def test_a_role_follows_from_the_sign_of_the_effect_and_what_is_looked_at(
    effect: float, most: str, named: str
) -> None:
    looks = {name: sure(0.6) for name in ("asked", "others", "ground", "outliers")}
    assert role(effect, looks | {most: sure(2.0)}) == named


def test_a_head_that_looks_nowhere_in_particular_has_no_role() -> None:
    assert role(0.3, {"asked": Estimate(1.2, 0.9, 1.5, 20), "ground": sure(0.9)}) == "none"


def test_shares_are_ratios_of_sums() -> None:
    found = Effects(np.array([3.0, 1.0]), np.array([-1.0, 1.0]), np.array([[2.0, 2.0], [0.0, -1.0]]))
    assert found.shares.tolist() == [1.0, -0.25]
    assert found.drawn(np.array([[2.0, 0.0]])).tolist() == [[0.5, 0.0]]


def test_tossed_sides_reach_no_head_that_always_restores() -> None:
    found = made([0.5, 0.0, 0.0, -0.4])
    chance = by_chance(found, seed=3)
    assert (np.abs(found.shares) > chance).tolist() == [True, False, False, True]


def test_two_measurements_of_the_same_heads_agree_and_halves_are_reliable() -> None:
    shares = np.linspace(-0.3, 0.6, 12).tolist()
    first, second = made(shares), made(shares)
    assert agreement(first, second, seed=1).value > 0.9 and reliability(first, seed=1).value > 0.9
    assert agreement(first, made(shares[::-1]), seed=1).high < -0.8


def test_the_top_heads_lie_on_their_side_of_zero() -> None:
    shares = np.array([0.3, -0.2, 0.0, 0.1])
    assert top(shares, 3, 1) == {0, 3} and top(shares, 3, -1) == {1}


def test_levels_with_heads_of_their_own_share_more_within_than_across() -> None:
    own = {"object": [0.5] * 3 + [0.0] * 6, "attribute": [0.0] * 3 + [0.5] * 3 + [0.0] * 3}
    levels = {"a": "object", "b": "object", "c": "attribute", "d": "attribute", "e": "attribute"}
    effects = {
        kind: made([share + 0.001 * i for i, share in enumerate(own[level])])
        for kind, level in levels.items()
    }
    found = sharing(effects, levels, 3, 1, seed=2)
    assert found.within.value == 1 and found.across.value == 0 and found.difference.low > 0
    assert found.halves.value == 1 and found.p <= 0.11
    assert found.chance == pytest.approx(0.22, abs=0.04)


def test_levels_that_share_all_heads_do_not_differ() -> None:
    levels = {"a": "object", "b": "object", "c": "attribute", "d": "attribute"}
    found = sharing({kind: made([0.5, 0.4, 0.3, 0.0, 0.0, 0.0]) for kind in levels}, levels, 3, 1, seed=2)
    assert found.difference.value == 0 and found.p == 1
