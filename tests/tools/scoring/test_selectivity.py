"""What is planted is found, what is noise is not: units 0 and 1 are planted, 2 is dead, the others are noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tools.scoring.presence import Label, Presence, presence
from tools.scoring.selectivity import chance, exceeds, null, selectivity, split

N = 600
COLORS, GROUNDS = ("red", "green", "blue", "gray"), ("light", "dark", "wavy")


@pytest.fixture(scope="module")
def facts() -> Presence:
    rng = np.random.default_rng(0)
    return presence(
        [
            frozenset(
                {
                    *(Label("color", color) for color in COLORS if rng.random() < 0.3),
                    Label("background", str(rng.choice(GROUNDS))),
                    *([Label("color", "purple")] if number < 5 else []),
                }
            )
            for number in range(N)
        ]
    )


@pytest.fixture(scope="module")
def found(facts: Presence) -> Any:
    half = split(range(N), 0)
    tested = facts.supported(half)
    rng = np.random.default_rng(0)
    copies = [rng.normal(size=(N, 200)) for _ in range(4)]
    red = tested.true[tested.labels.index(Label("color", "red"))]
    dark = tested.true[tested.labels.index(Label("background", "dark"))]
    copies[0][:, 0] = red + 0.01 * rng.normal(size=N)
    copies[0][:, 1] = -5.0 * dark + 0.01 * rng.normal(size=N)
    copies[0][:, 2] = 7.0
    trained, *untrained = (selectivity(copy, tested, half) for copy in copies)
    return tested, trained, untrained


def test_rare_labels_are_left_out(facts: Presence) -> None:
    half = split(range(N), 0)
    kept = facts.supported(half)
    assert {label.words for label in set(facts.labels) - set(kept.labels)} == {"purple"}
    assert min(kept.true[:, half].sum(1).min(), kept.true[:, ~half].sum(1).min()) >= 10


def test_a_judges_probabilities_take_the_place_of_truth(facts: Presence) -> None:
    half = split(range(N), 0)
    sure = Presence(facts.labels, facts.true.astype(float))
    unsure = Presence(facts.labels, 0.1 + 0.8 * facts.true)
    assert sure.supported(half).labels == unsure.supported(half).labels == facts.supported(half).labels
    units = np.random.default_rng(2).normal(size=(N, 9))
    first, second = (selectivity(units, one.supported(half), half).rho for one in (sure, unsure))
    np.testing.assert_allclose(first, second, atol=1e-12)


def test_a_scene_lies_in_one_half_only() -> None:
    half = split([index // 3 for index in range(300)], 1)
    assert (half.reshape(100, 3).sum(1) % 3 == 0).all()
    assert half.sum() == 150


def test_a_planted_unit_is_found_with_its_phrase_whatever_its_sign(found: Any) -> None:
    tested, trained, untrained = found
    assert [tested.labels[index].words for index in trained.label[:2]] == ["red", "dark"]
    assert (trained.rho[:2] > 0.99).all()
    assert exceeds(trained, null(untrained), tested)[:2].all()


def test_the_best_phrase_of_each_class_is_chosen_for_its_strength(found: Any) -> None:
    tested, trained, _ = found
    color, ground = tested.classes.index("color"), tested.classes.index("background")
    assert trained.chosen_of_class[color, 0] > 0.99 > 0.3 > trained.chosen_of_class[ground, 0]
    assert trained.chosen_of_class[ground, 1] > 0.99 and trained.rho_of_class[ground, 1] > 0.99


def test_noise_is_not_above_the_null(found: Any) -> None:
    tested, trained, untrained = found
    assert exceeds(trained, null(untrained), tested)[3:].mean() < 0.12
    assert chance(untrained, tested).mean() < 0.12
    assert abs(trained.rho[3:].mean()) < 0.02


def test_a_dead_unit_is_counted_and_never_selective(found: Any) -> None:
    tested, trained, untrained = found
    assert trained.dead.tolist() == [unit == 2 for unit in range(200)]
    assert trained.rho[2] == 0 and not exceeds(trained, null(untrained) - 1, tested)[2]
    assert (trained.chosen_of_class[:, 2] == 0).all()


def test_one_copy_is_no_control(found: Any) -> None:
    tested, _, untrained = found
    with pytest.raises(ValueError, match="at least two copies, got 1"):
        chance(untrained[:1], tested)
