"""Drawings: everything measured is on the axis, told in words, and where it belongs."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.plots import (
    Histogram,
    Measured,
    histogram_plot,
    interval_plot,
    prediction_plot,
    score_axis,
    shared_axis,
)
from reports.svg import Axis, axis_around, element
from reports.words import edge_below
from store.records import Hypothesis, Verdict

values = st.floats(-1e6, 1e6, allow_subnormal=False).filter(lambda one: one == 0 or abs(one) > 1e-6)


@given(st.lists(values, min_size=1))
def test_an_axis_holds_zero_and_every_value_in_order(found: list[float]) -> None:
    axis = axis_around(found)
    assert not any(axis.beyond(one) for one in [0.0, *found])
    places = [axis.share(one) for one in sorted(found)]
    assert places == sorted(places) and all(axis.left <= place <= axis.right for place in places)


@given(st.floats(-100, 100), st.floats(1e-3, 1e6))
def test_ticks_are_few_and_on_the_axis(low: float, span: float) -> None:
    axis = Axis(low, low + span)
    ticks = axis.ticks()
    assert 1 <= len(ticks) <= 6
    assert all(low - span * 1e-6 <= tick <= low + span * (1 + 1e-6) for tick in ticks)


def test_an_interval_is_told_with_what_it_is_held_against() -> None:
    row = Measured(0.5, (0.4, 0.6), control=0.1, null=0.3, threshold=0.3)
    told = re.search(r'aria-label="([^"]*)"', interval_plot(row, shared_axis([row])))
    assert told and told[1] == "0.50 [0.40, 0.60] at 95 %, control 0.10, null 0.30, threshold 0.30"


def test_a_clearly_negative_score_is_not_cut_off() -> None:
    row = Measured(-0.6, (-0.7, -0.5))
    assert not score_axis([row]).beyond(-0.7)
    assert score_axis([Measured(0.4, (0.3, 0.5))]).low == -0.1
    assert score_axis([Measured(0.4, (0.3, 0.5))]).high == 1
    share = Measured(1.2, (0.9, 1.6), null=1.0)
    assert not score_axis([share]).beyond(1.6)


@pytest.mark.parametrize(
    ("direction", "threshold", "effect", "inside"),
    [
        ("above", 1.0, 2.0, True),
        ("above", 1.0, 0.1, False),
        ("below", 0.2, 0.1, True),
        ("below", -0.2, 0.1, False),
        ("within", 0.1, 0.05, True),
        ("within", 0.1, -0.4, False),
    ],
)
def test_an_effect_lies_in_the_predicted_band_exactly_when_it_was_predicted(
    direction: str, threshold: float, effect: float, inside: bool
) -> None:
    hypothesis = Hypothesis.model_validate(
        {
            "statement": "It fires on red things.",
            "quantity": "difference",
            "direction": direction,
            "threshold": threshold,
            "control": "another color",
            "refuter": "no difference",
        }
    )
    verdict = Verdict(
        hypothesis=1, outcome="supports", experiments=(1,), effect=effect, ci=(effect - 0.02, effect + 0.02)
    )
    drawn = prediction_plot(hypothesis, verdict)
    band = re.search(r'<rect x="([\d.]+)%" y="1" width="([\d.]+)%"', drawn)
    disc = re.search(r'<circle cx="([\d.]+)%"', drawn)
    assert band and disc
    first, wide, place = float(band[1]), float(band[2]), float(disc[1])
    assert (first < place < first + wide) is inside
    assert wide > 3


def test_a_histogram_has_a_bar_for_each_bin_that_holds_something() -> None:
    drawn = histogram_plot(Histogram((0.0, 1.0, 2.0, 3.0), (900, 0, 3)))
    assert drawn.count('class="count"') == 2
    assert "histogram of 903 values from 0 to 3 activation" in drawn


def test_quantiles_are_read_off_the_bins() -> None:
    even = Histogram((0.0, 1.0, 2.0), (50, 50))
    assert edge_below(even, 0.5) == pytest.approx(1.0)
    assert edge_below(even, 0.25) == pytest.approx(0.5)
    assert edge_below(even, 1.0) == pytest.approx(2.0)


def test_words_in_a_drawing_are_escaped() -> None:
    assert element("text", "<b>", aria_label='"x"') == '<text aria-label="&#34;x&#34;">&lt;b&gt;</text>'
