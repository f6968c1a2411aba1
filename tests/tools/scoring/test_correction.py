"""Benjamini–Hochberg agrees with scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from tools.scoring.correction import benjamini_hochberg


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_adjusted_p_values_agree_with_scipy(p_values: list[float]) -> None:
    np.testing.assert_allclose(benjamini_hochberg(p_values), false_discovery_control(p_values), atol=1e-12)


def test_nothing_to_correct_is_no_mistake() -> None:
    assert benjamini_hochberg([]).size == 0


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match=r"lie in \[0, 1\]"):
        benjamini_hochberg([0.5, p])
