"""Heat maps are shown as light: hot places keep their color, cold ones fade, whatever the hue."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tools.pictures import overlay, png, sheet

RED = Image.new("RGB", (28, 28), (200, 20, 20))


def test_hot_places_keep_their_color_and_cold_ones_turn_dark_grey() -> None:
    shown = np.asarray(overlay(RED, np.array([[1.0, 0.0], [0.0, 0.0]]))).astype(int)
    assert shown.shape == (224, 224, 3)
    assert shown[20, 20].tolist() == [200, 20, 20]
    cold = shown[200, 200]
    assert cold.max() == cold.min() and cold.max() < 60


def test_a_line_runs_where_the_heat_is_half() -> None:
    shown = np.asarray(overlay(RED, np.array([[1.0, 0.0], [1.0, 0.0]])))
    white = (shown == 255).all(axis=-1)
    assert white.any() and white[112].nonzero()[0].mean() == pytest.approx(112, abs=4)


def test_a_shared_scale_keeps_weak_pictures_weak() -> None:
    weak = np.full((2, 2), 0.1)
    assert np.asarray(overlay(RED, weak))[112, 112].tolist() == [200, 20, 20]
    assert np.asarray(overlay(RED, weak, scale=1.0))[112, 112, 0] < 110


def test_maps_without_heat_are_cold_and_not_a_division_by_zero() -> None:
    for heat in (np.zeros((2, 2)), np.full((2, 2), np.nan), np.full((2, 2), -3.0)):
        assert np.asarray(overlay(RED, heat)).max() < 60


def test_equal_pictures_are_equal_bytes_and_read_back() -> None:
    assert png(RED) == png(RED.copy())
    assert Image.open(BytesIO(png(RED))).size == (28, 28)


def test_sheets_lay_pictures_out_row_by_row() -> None:
    page = sheet([RED] * 3, columns=2)
    assert page.size == (2 * 28 + 6, 2 * 28 + 6)
    with pytest.raises(ValueError, match="at least one picture"):
        sheet([])
