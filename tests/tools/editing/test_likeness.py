"""A p-value of looking like the data: even over the data, least for what lies outside, refused from few pictures."""

from collections.abc import Sequence

import numpy as np
import pytest
from jaxtyping import Float
from PIL import Image

from store.errors import UserError
from tools.editing.likeness import FEWEST, Likeness


class MeanColor:
    """Eyes that see the mean color."""

    def embed(self, images: Sequence[Image.Image], /) -> Float[np.ndarray, "image width"]:
        return np.stack([np.asarray(image).mean(axis=(0, 1)) for image in images])


def pictures(n: int, seed: int) -> list[Image.Image]:
    colors = np.random.default_rng(seed).normal(128, 10, (n, 3)).clip(0, 255).astype(int)
    return [Image.new("RGB", (8, 8), tuple(color)) for color in colors.tolist()]


def test_p_values_of_pictures_of_the_same_kind_are_even() -> None:
    found = Likeness(MeanColor(), pictures(800, 0)).p_values(pictures(800, 1))
    for share in (0.05, 0.25, 0.5, 0.75):
        assert (found <= share).mean() == pytest.approx(share, abs=0.06)


def test_a_picture_outside_the_data_has_the_least_p_value() -> None:
    likeness = Likeness(MeanColor(), pictures(400, 0))
    assert likeness.p_values([Image.new("RGB", (8, 8))])[0] == pytest.approx(1 / 201)


def test_a_direction_without_any_spread_does_not_break_it() -> None:
    gray = [Image.new("RGB", (8, 8), (level % 256,) * 3) for level in range(FEWEST)]
    found = Likeness(MeanColor(), gray).p_values([gray[3], Image.new("RGB", (8, 8), "red")])
    assert np.isfinite(found).all() and found[1] < found[0]


def test_too_few_pictures_are_refused() -> None:
    with pytest.raises(UserError, match="too few"):
        Likeness(MeanColor(), pictures(FEWEST - 1, 0))
