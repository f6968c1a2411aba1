"""A sample that is drawn where a component is unlike itself says of the population what the whole would."""

from __future__ import annotations

import numpy as np
import pytest
from jaxtyping import Float

from store.values import Estimate
from tools.scoring.bootstrap import resampled, resamples
from tools.scoring.correlation import pearson
from tools.scoring.importance import EVEN, Sample, chances, draw, even_part

Column = Float[np.ndarray, "stimulus"]
N, WANTED, DRAWN = 1000, 100, 300


def rare(rng: np.random.Generator, share: float = 0.02, noise: float = 0.3) -> tuple[Column, Column]:
    """Values of a component that answers to a rare concept, and the concept."""
    concept = (rng.random(N) < share).astype(np.float64)
    return concept + noise * rng.normal(size=N), concept


def estimated(values: Column, concept: Column, sample: Sample, draws: int = 200, seed: int = 0) -> Estimate:
    drawn = resamples(range(len(sample.rows)), draws=draws, seed=seed).standing_for(sample.weights)
    rho = pearson(values[sample.rows, None], concept[sample.rows, None], drawn.weights)
    return resampled(rho, drawn).estimates()[0]


def test_where_every_stimulus_is_sure_to_be_drawn_it_is_the_plain_correlation() -> None:
    values, concept = rare(np.random.default_rng(231))
    sample = draw(chances(values, N), 0)
    assert sample.rows.tolist() == list(range(N)) and (sample.weights == 1).all()
    assert estimated(values, concept, sample).value == pytest.approx(np.corrcoef(values, concept)[0, 1])


def test_weights_say_how_many_stimuli_each_one_stands_for() -> None:
    """By hand: three stimuli that stand for one, two and five are eight stimuli."""
    values, concept = np.array([0.0, 1.0, 3.0]), np.array([0.0, 1.0, 0.5])
    sample = Sample(np.arange(3), np.array([1, 1 / 2, 1 / 5]))
    counts = [1, 2, 5]
    plain = np.corrcoef(np.repeat(values, counts), np.repeat(concept, counts))[0, 1]
    assert estimated(values, concept, sample, draws=2).value == pytest.approx(plain)


@pytest.mark.parametrize("wanted", [30, 100, 400, 999])
def test_chances_add_up_to_the_wanted_number_and_grow_with_the_distance_from_the_mean(wanted: int) -> None:
    values = np.random.default_rng(232).standard_t(2, size=N)
    found = chances(values, wanted)
    assert found.sum() == pytest.approx(wanted)
    assert (found >= EVEN * wanted / N - 1e-12).all() and (found <= 1).all()
    order = np.argsort(np.abs(values - values.mean()))
    assert (np.diff(found[order]) >= -1e-12).all()


def test_a_component_without_differences_gives_all_the_same_chance() -> None:
    assert chances(np.full(50, 3.0), 10).tolist() == [0.2] * 50
    assert chances(np.full(50, 3.0), 70).tolist() == [1.0] * 50


@pytest.mark.parametrize(("wanted", "even"), [(0, 0.5), (10, 0.0), (10, 1.5)])
def test_a_draw_that_would_leave_stimuli_without_a_chance_is_refused(wanted: int, even: float) -> None:
    with pytest.raises(ValueError, match="leaves stimuli without a chance"):
        chances(np.arange(50.0), wanted, even)


def test_each_stimulus_is_drawn_as_often_as_its_chance_says() -> None:
    values, _ = rare(np.random.default_rng(233))
    chance = chances(values, WANTED)
    often = np.zeros(N)
    for seed in range(DRAWN):
        often[draw(chance, seed).rows] += 1
    spread = np.sqrt(DRAWN * chance * (1 - chance))
    far = np.abs(often - DRAWN * chance)[spread > 0] / spread[spread > 0]
    assert np.mean(far**2) == pytest.approx(1, abs=0.2) and far.max() < 5


def test_samples_of_one_seed_share_what_they_can() -> None:
    one, other = (chances(rare(np.random.default_rng(seed))[0], WANTED) for seed in (234, 235))
    even = set(even_part(N, WANTED, 7).rows.tolist())
    drawn = [set(draw(chance, 7).rows.tolist()) for chance in (one, other)]
    assert even <= drawn[0] & drawn[1] and len(even) > WANTED * EVEN / 2
    assert set(draw(one, 7).rows.tolist()) == drawn[0] != set(draw(one, 8).rows.tolist())
    assert len(drawn[0] | drawn[1]) < 0.9 * (len(drawn[0]) + len(drawn[1]))


def test_weighted_sums_are_right_on_average_whatever_the_chances() -> None:
    """Horvitz and Thompson: no bias in a total, within four standard errors over the draws."""
    values, concept = rare(np.random.default_rng(236))
    chance = chances(values, WANTED)
    totals = [
        float(sample.weights @ (values * concept)[sample.rows])
        for sample in (draw(chance, seed) for seed in range(DRAWN))
    ]
    error = np.std(totals) / np.sqrt(DRAWN)
    assert abs(np.mean(totals) - values @ concept) < 4 * error


def test_a_rare_concept_is_measured_without_bias_better_than_by_even_draws_and_inside_its_interval() -> None:
    """n = 300 populations of 1000 with 20 that hold, 100 judged; ρ of the whole world is 0.423. A ratio of sums has a
    bias of order 1 / n, here below 0.02."""
    truth = np.sqrt(0.02 * 0.98 / (0.02 * 0.98 + 0.3**2))
    errors: dict[float, list[float]] = {EVEN: [], 1.0: []}
    holds, plain = [], []
    for number in range(DRAWN):
        values, concept = rare(np.random.default_rng([237, number]))
        for even, seen in errors.items():
            found = estimated(values, concept, draw(chances(values, WANTED, even), number), seed=number)
            seen.append(found.value - truth)
            if even == EVEN:
                holds.append(found.low <= truth <= found.high)
                plain.append(found.low <= np.corrcoef(values, concept)[0, 1] <= found.high)
    assert abs(np.mean(errors[EVEN])) < 0.02
    assert np.sqrt(np.mean(np.square(errors[EVEN]))) < 0.7 * np.sqrt(np.mean(np.square(errors[1.0])))
    assert 0.89 <= np.mean(holds) <= 0.99 and np.mean(plain) >= 0.9
