"""What differs outside a region: nothing for untouched pictures, the worst square for a small change, known SSIM."""

import numpy as np
import pytest
from PIL import Image

from tools.editing.difference import MARGIN, WINDOW, difference


@pytest.fixture
def scenery() -> Image.Image:
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 256, (64, 96, 3), dtype=np.uint8))


def painted(picture: Image.Image, rows: slice, columns: slice, color: int) -> Image.Image:
    pixels = np.array(picture)
    pixels[rows, columns] = color
    return Image.fromarray(pixels)


def test_a_picture_differs_from_itself_nowhere(scenery: Image.Image) -> None:
    region = np.zeros((64, 96), dtype=bool)
    assert difference(scenery, scenery, region) == pytest.approx((0, 0, 0, 1), abs=1e-5)


def test_a_change_inside_the_region_is_not_one_outside(scenery: Image.Image) -> None:
    region = np.zeros((64, 96), dtype=bool)
    region[10:30, 10:30] = True
    found = difference(scenery, painted(scenery, slice(10, 30), slice(10, 30), 0), region)
    assert found.inside == pytest.approx(np.asarray(scenery)[10:30, 10:30].mean() / 255, rel=1e-5)
    assert found.outside == 0 and found.worst == 0


def test_a_small_change_outside_shows_in_the_worst_square_and_hardly_in_the_mean() -> None:
    gray = Image.new("RGB", (96, 64), (100, 100, 100))
    region = np.zeros((64, 96), dtype=bool)
    region[:8, :8] = True
    found = difference(gray, painted(gray, slice(40, 48), slice(40, 48), 202), region)
    assert found.worst == pytest.approx(102 / 255, rel=1e-5)
    assert found.outside == pytest.approx(64 * 102 / 255 / (64 * 96 - (8 + MARGIN) ** 2), rel=1e-5)


def test_what_blurs_across_the_edge_of_the_region_is_forgiven() -> None:
    gray = Image.new("RGB", (96, 64), (100, 100, 100))
    region = np.zeros((64, 96), dtype=bool)
    region[20:30, 20:30] = True
    grown = painted(gray, slice(20 - MARGIN, 30 + MARGIN), slice(20 - MARGIN, 30 + MARGIN), 0)
    assert difference(gray, grown, region).outside == 0


def test_without_a_region_all_is_outside_and_with_all_of_it_nothing(scenery: Image.Image) -> None:
    black = Image.new("RGB", scenery.size)
    mean = np.asarray(scenery).mean() / 255
    assert difference(scenery, black, None).outside == pytest.approx(mean, rel=1e-5)
    everywhere = difference(scenery, black, np.ones((64, 96), dtype=bool))
    assert everywhere.worst is None
    assert everywhere._replace(worst=0.0) == pytest.approx((mean, 0, 0, 1), rel=1e-5)


def test_ssim_of_two_flat_pictures_is_its_luminance_term() -> None:
    one, other = Image.new("RGB", (40, 40), (51, 51, 51)), Image.new("RGB", (40, 40), (102, 102, 102))
    expected = (2 * 0.2 * 0.4 + 1e-4) / (0.2**2 + 0.4**2 + 1e-4)
    assert difference(one, other, None).similarity == pytest.approx(expected, rel=1e-4)


def test_pictures_smaller_than_the_window_are_compared_too() -> None:
    side = WINDOW // 2
    one, other = Image.new("RGB", (side, side)), Image.new("RGB", (side, side), "white")
    assert difference(one, other, None).worst == pytest.approx(1)


def test_pictures_of_two_sizes_are_refused(scenery: Image.Image) -> None:
    with pytest.raises(ValueError, match="pixel by pixel"):
        difference(scenery, scenery.resize((32, 32)), None)
