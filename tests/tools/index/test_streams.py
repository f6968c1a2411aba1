"""What streams past is kept as if all of it had been held: tails, moments, firing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tools.index.firing import FIRES, STEPS, Firing
from tools.index.moments import Moments
from tools.index.tails import NOBODY, Tail

DEPTH = 4
NUMBERS = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, 0.5]),
    st.floats(-1e4, 1e4, width=32),
    st.just(float("nan")),
)
STREAMS = arrays(np.float32, array_shapes(min_dims=3, max_dims=3, max_side=20), elements=NUMBERS)
CHUNKS = st.integers(1, 7)


def chunks(values: np.ndarray, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Numbers (every third, from 5 up) and values of a stream in pieces."""
    numbers = np.arange(values.shape[1], dtype=np.int32) * 3 + 5
    for first in range(0, values.shape[1], size):
        yield numbers[first : first + size], values[:, first : first + size]


@given(STREAMS, CHUNKS)
def test_a_tail_holds_the_largest_values_with_ties_to_the_earlier(values: np.ndarray, size: int) -> None:
    tail = Tail(values.shape[0], values.shape[2], DEPTH)
    for numbers, part in chunks(values, size):
        tail.add(numbers, part)
    for pool in range(values.shape[0]):
        for component in range(values.shape[2]):
            stream = values[pool, :, component]
            ranked = sorted(
                ((-value, i) for i, value in enumerate(stream) if not np.isnan(value)), key=lambda pair: pair
            )[:DEPTH]
            empty = DEPTH - len(ranked)
            assert tail.numbers[pool, component].tolist() == [3 * i + 5 for _, i in ranked] + [NOBODY] * empty
            assert tail.values[pool, component].tolist() == [-v for v, _ in ranked] + [-np.inf] * empty


@given(STREAMS, CHUNKS)
def test_moments_are_those_of_the_whole_stream(values: np.ndarray, size: int) -> None:
    moments = Moments(values.shape[0], values.shape[2])
    for _, part in chunks(values, size):
        moments.add(part)
    present = ~np.isnan(values)
    assert (moments.count == present.sum(1)).all()
    filled = np.ma.masked_array(values.astype(np.float64), ~present)
    scale = np.maximum(np.abs(filled).max(axis=1).filled(0), 1)
    assert (np.abs(moments.mean - filled.mean(axis=1).filled(0)) <= 1e-6 * scale).all()
    known = moments.count > 0
    assert np.isnan(moments.sd[~known]).all()
    assert (np.abs(moments.sd - filled.std(axis=1).filled(0)) <= 1e-5 * scale)[known].all()


def test_the_deviation_of_large_nearly_equal_values_is_not_lost() -> None:
    values = (4096 + np.random.default_rng(0).normal(size=(1, 4000, 1))).astype(np.float32)
    moments = Moments(1, 1)
    for _, part in chunks(values, 64):
        moments.add(part)
    assert moments.sd[0, 0] == pytest.approx(values.astype(np.float64).std(), rel=1e-4)


def fired(stream: np.ndarray) -> int:
    """Positive values at most FIRES steps of the ladder below the largest one's step, counted at once."""
    positive = stream[stream > 0]
    if not len(positive):
        return 0
    steps = np.floor(np.log2(positive) * STEPS)
    return int((steps >= steps.max() - FIRES).sum())


@given(STREAMS, CHUNKS)
def test_firing_is_counted_as_if_the_maximum_had_been_known_before(values: np.ndarray, size: int) -> None:
    firing = Firing(values.shape[0], values.shape[2])
    for _, part in chunks(values, size):
        firing.add(part)
    expected = [[fired(stream) for stream in pool.T] for pool in values]
    assert firing.counts.sum(0).tolist() == expected


@given(STREAMS, st.randoms())
def test_firing_does_not_depend_on_the_order(values: np.ndarray, chance: object) -> None:
    order = np.arange(values.shape[1])
    chance.shuffle(order)  # type: ignore[attr-defined]  # random.Random
    found = []
    for stream in (values, values[:, order]):
        firing = Firing(values.shape[0], values.shape[2])
        for _, part in chunks(stream, 3):
            firing.add(part)
        found.append(firing.counts.sum(0).tolist())
    assert found[0] == found[1]


def test_what_fires_lies_above_about_a_third_of_the_maximum() -> None:
    for largest in np.random.default_rng(0).uniform(0.01, 50, 40):
        below, above = 0.29 * largest, 0.36 * largest
        firing = Firing(1, 1)
        firing.add(np.array([below, above, largest, -largest, 0], np.float32).reshape(1, 5, 1))
        assert firing.counts.sum() == 2


def test_a_component_that_is_never_positive_never_fires() -> None:
    firing = Firing(1, 1)
    firing.add(np.array([-1, 0, -3], np.float32).reshape(1, 3, 1))
    assert firing.rate(np.array([[3]], np.int32)).item() == 0
    firing.add(np.array([2, -1], np.float32).reshape(1, 2, 1))
    assert firing.rate(np.array([[5]], np.int32)).item() == pytest.approx(1 / 5)
