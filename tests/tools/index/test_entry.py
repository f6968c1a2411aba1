"""An entry is read from the side that is meant: larger always means more of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from store.records import Reading
from tests.tools.index.sources import ADDRESSES, EXTENT, KnownActivations, RandomPictures, known_values
from tools.index import ExemplarIndex, build_index
from tools.pools import side

SIZE = 200
NEURON = ADDRESSES[6]
READINGS = [
    Reading(sign=sign, scope=scope) for scope in ("visual", "question", "answer") for sign in ("+", "-")
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> ExemplarIndex:
    source, pictures = KnownActivations(known_values(SIZE)), RandomPictures(SIZE)
    return build_index(source, EXTENT, pictures, tmp_path_factory.mktemp("index"), fingerprint="weights")


@pytest.mark.parametrize("reading", READINGS, ids=str)
def test_a_side_ranks_stimuli_as_the_pooled_values_do(index: ExemplarIndex, reading: Reading) -> None:
    values = side(known_values(SIZE), reading)[:, 6]
    found = index.entry(NEURON).side(reading)
    assert [e.value for e in found.top] == sorted(values, reverse=True)[:24]
    assert all(values[e.stimulus] == e.value for e in (*found.top, *found.bottom))
    assert [e.value for e in found.bottom] == sorted(values)[:24]
    assert found.mean == pytest.approx(values.mean(), abs=1e-5)
    assert found.sample == pytest.approx(values[index.sample_numbers], abs=2e-3)
    assert index.sample([NEURON], reading)[:, 0] == pytest.approx(found.sample)
    assert 0 < found.fires < 1


def test_both_ends_have_their_own_firing_rate(index: ExemplarIndex) -> None:
    high, low = (index.entry(NEURON).side(Reading(sign=sign, scope="answer")) for sign in ("+", "-"))
    values = known_values(SIZE)[5, :, 6]
    assert high.fires == low.fires_low == pytest.approx((values > 0.33 * values.max()).mean(), abs=0.05)
    assert low.fires == high.fires_low == pytest.approx((values < 0.33 * values.min()).mean(), abs=0.05)


def test_a_vision_component_has_readings_over_the_picture_alone(index: ExemplarIndex) -> None:
    assert {reading.scope for reading in index.entry(ADDRESSES[0]).readings} == {"visual"}
    assert list(index.entry(NEURON).readings) == READINGS


def test_exemplars_are_the_strongest_first(index: ExemplarIndex) -> None:
    entry = index.entry(NEURON)
    assert entry.exemplars(Reading(), 3) == entry.side(Reading()).top[:3]


def test_a_histogram_counts_the_whole_sample_within_the_streams_range(index: ExemplarIndex) -> None:
    pool = index.entry(NEURON).side(Reading(scope="answer"))
    counts, edges = pool.histogram(10)
    assert counts.sum() == SIZE and len(edges) == 11
    assert edges[0] <= pool.bottom[0].value and edges[-1] >= pool.top[0].value
    unknown = index.entry(ADDRESSES[0]).pools["answer"].histogram(10)
    assert unknown.counts.sum() == 0


def test_a_constant_component_has_a_histogram_too(index: ExemplarIndex) -> None:
    assert index.entry(ADDRESSES[3]).pools["visual.max"].histogram(5).counts.sum() == SIZE


def test_stimuli_around_a_quantile_lie_between_their_neighbours(index: ExemplarIndex) -> None:
    pool = index.entry(NEURON).side(Reading())
    low, middle, high = (pool.around(quantile, 8) for quantile in (0, 0.5, 1))
    ranked = np.sort(pool.sample)
    assert [e.value for e in low] == ranked[:8].tolist()
    assert [e.value for e in high] == ranked[-8:].tolist()
    assert middle[0].value <= np.median(ranked) <= middle[-1].value
    assert index.entry(ADDRESSES[0]).pools["answer"].around(0.5, 8) == ()


def test_a_component_without_finite_numbers_is_known_as_broken_and_neither_dead_nor_absent(
    tmp_path: Path,
) -> None:
    values = known_values(SIZE)
    values[:, [3, 70, 199], 6] = np.inf
    source, pictures = KnownActivations(values), RandomPictures(SIZE)
    index = build_index(source, EXTENT, pictures, tmp_path, fingerprint="weights")
    entry = index.entry(NEURON)
    assert index.broken == {NEURON} and not entry.dead
    assert {pool.broken for pool in entry.pools.values()} == {3} and not entry.readings
    whole = index.entry(ADDRESSES[7]).side(READINGS[0])
    assert whole.broken == 0 and np.isfinite([whole.mean, whole.sd, whole.fires]).all()
