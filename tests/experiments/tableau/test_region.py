"""Where a concept holds: the tokens of the things that make it true, of the background where nothing else does."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.tableau.region import region
from experiments.tableau.render import masks, patches
from experiments.tableau.scene import GRID, PATCH, Scene
from experiments.tableau.source import scene_of_split
from store.errors import UserError
from tools.scoring.concept import read

SCENES = [scene_of_split("train", number) for number in range(120)]
DARK = [scene for scene in SCENES if scene.background == "dark"]


def things(scene: Scene, color: str) -> np.ndarray:
    drawn = [mask for thing, mask in zip(scene.things, masks(scene), strict=True) if thing.color == color]
    return patches(np.any(drawn, axis=0)) if drawn else np.zeros(GRID * GRID, bool)


def where(concept: str, scene: Scene) -> np.ndarray:
    return region(read(concept), scene)


def test_it_is_the_tokens_of_the_named_things_and_none_where_there_are_none() -> None:
    for scene in SCENES:
        assert (where("red thing", scene) == things(scene, "red")).all()


def test_a_background_says_when_and_the_thing_beside_it_says_where() -> None:
    found = [where("red thing & dark background", scene) for scene in SCENES]
    for scene, marked in zip(SCENES, found, strict=True):
        held = scene.background == "dark"
        assert (marked == (things(scene, "red") if held else False)).all()
    assert any(marked.any() for marked in found)


def test_a_background_that_is_named_alone_or_as_an_alternative_is_where_nothing_lies() -> None:
    for scene in DARK:
        ground = where("dark background", scene)
        covered = masks(scene).any(axis=0).reshape(GRID, PATCH, GRID, PATCH).mean(axis=(1, 3)).reshape(-1)
        assert ground.mean() > 0.3 and covered[ground].max() <= 0.25
        for either in ("red thing | dark background", "0.7 red thing + 0.3 dark background"):
            assert (where(either, scene) == (ground | things(scene, "red"))).all()


@pytest.mark.parametrize(("concept", "error"), [("!star", ValueError), ("question asks color", UserError)])
def test_what_has_no_place_is_refused(concept: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        where(concept, SCENES[0])
