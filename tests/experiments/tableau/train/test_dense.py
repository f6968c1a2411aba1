"""Dense labels say what every patch shows."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.tableau.render import masks
from experiments.tableau.sampler import sample
from experiments.tableau.scene import COLORS, GRID, PATCH, Scene
from experiments.tableau.train.dense import CLASSES, NONE, dense_labels

ROW = {name: index for index, name in enumerate(CLASSES)}


@pytest.mark.parametrize("seed", range(12))
def test_a_patch_that_a_thing_fills_bears_its_color_and_an_empty_one_none(seed: int) -> None:
    scene = sample(seed)
    labels = dense_labels(scene)
    cover = masks(scene).reshape(-1, GRID, PATCH, GRID, PATCH).mean(axis=(2, 4)).reshape(-1, GRID * GRID)
    for index, thing in enumerate(scene.things):
        full = cover[index] == 1
        assert (labels[ROW["color"]][full] == COLORS.index(thing.color)).all()
        assert (labels[ROW["kind"]][full] == 1).all()
    bare = cover.sum(axis=0) == 0
    assert (labels[ROW["color"]][bare] == NONE).all()


@pytest.mark.parametrize("seed", range(12))
def test_there_are_as_many_centers_as_things(seed: int) -> None:
    scene = sample(seed)
    assert dense_labels(scene)[ROW["center"]].sum() == len(scene.things)


def test_a_bare_picture_is_background_everywhere() -> None:
    labels = dense_labels(Scene("wavy"))
    assert (labels[ROW["kind"]] == 0).all()
    assert (labels[ROW["background"]] != NONE).all()
    assert np.all(labels[ROW["shape"]] == NONE)
