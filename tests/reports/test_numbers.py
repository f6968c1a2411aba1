"""Numbers as pages write them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import numbers


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "–"),
        (0.0, "0"),
        (2000, "2,000"),
        (-3, "−3"),
        (0.43, "0.43"),
        (0.4321, "0.432"),
        (0.5, "0.50"),
        (-0.0312, "−0.0312"),
        (2.414, "2.41"),
        (31.25, "31.2"),
        (4096.7, "4,097"),
        (1.5e-5, "1.50e−05"),
        (2.5e9, "2.50e+09"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "not a number"),
    ],
)
def test_a_number_has_three_digits_and_a_real_minus(value: float | None, words: str) -> None:
    assert numbers.number(value) == words


@given(st.floats(-1e300, 1e300))
def test_a_written_number_is_within_one_percent_of_the_number(value: float) -> None:
    read = float(numbers.number(value).replace(",", "").replace("−", "-"))
    assert read == pytest.approx(value, rel=0.01)


@pytest.mark.parametrize(
    ("value", "words"), [(0.41, "0.4 s"), (41.2, "41 s"), (200, "3 min 20 s"), (3900, "1 h 5 min")]
)
def test_a_duration_is_told_in_its_own_units(value: float, words: str) -> None:
    assert numbers.seconds(value) == words


@pytest.mark.parametrize(
    ("value", "ci", "words"),
    [
        (0.43, (0.31, 0.55), "0.43 [0.31, 0.55]"),
        (1 / 3, (0.18, 0.533), "0.333 [0.180, 0.533]"),
        (0.798, (0.228, 1.49), "0.80 [0.23, 1.49]"),
        (0.0031, (0.0, 0.0062), "0.0031 [0, 0.0062]"),
        (-0.2, (-0.7, 0.3), "−0.20 [−0.70, 0.30]"),
        (412.4, (377.1, 440.8), "412.4 [377.1, 440.8]"),
        (0.5, (0.5, 0.5), "0.50 [0.50, 0.50]"),
        (7e-5, (2e-5, 1.2e-4), "7.00e−05 [2.00e−05, 1.20e−04]"),
        (0.5, None, "0.50"),
    ],
)
def test_a_value_and_its_interval_have_the_decimals_that_the_width_gives_reason_for(
    value: float, ci: tuple[float, float] | None, words: str
) -> None:
    assert numbers.estimate(value, ci) == words


def test_an_interval_stands_in_brackets_and_nothing_stands_for_none() -> None:
    assert numbers.interval((-0.05, 0.2)) == "[−0.05, 0.20]"
    assert numbers.interval(None) == ""


@pytest.mark.parametrize(
    ("value", "step", "words"), [(0.2, 0.2, "0.2"), (0.25, 0.25, "0.25"), (-10, 5, "−10")]
)
def test_a_tick_has_the_decimals_of_its_step(value: float, step: float, words: str) -> None:
    assert numbers.tick(value, step) == words


def test_nouns_agree_with_their_number() -> None:
    assert [numbers.counted(n, "component") for n in (0, 1, 2)] == [
        "0 components",
        "1 component",
        "2 components",
    ]
