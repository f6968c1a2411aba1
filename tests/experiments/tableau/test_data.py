"""The data sets by name: their sizes, and that no two share a scene."""

from __future__ import annotations

from itertools import islice

import pytest

from experiments.tableau.data import FRESH, INSTRUCTIONS, SOURCES, SPLITS, Split, scene, scenes
from experiments.tableau.sampler import HELD_OUT
from experiments.tableau.train.batches import scenes_of


def test_no_two_splits_share_a_scene() -> None:
    drawn = [one for split in SPLITS for one in scenes(split, 250)]
    drawn += [one for split in FRESH for seed in (1, 2) for one in scenes(split, 100, seed)]
    drawn += scenes_of(INSTRUCTIONS - 1, 0, 100, {"regular": 0.4, "balanced": 0.4, "alike": 0.2})
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize(("split", "size"), [("train", 1500), ("select", 500), ("test", 1000)])
def test_splits_have_the_size_that_they_are_said_to_have(split: Split, size: int) -> None:
    assert SOURCES[split].size == size
    assert sum(1 for _ in scenes(split)) == size


def test_more_scenes_than_a_split_has_begin_with_its_own() -> None:
    assert list(scenes("select", 510))[:500] == list(scenes("select"))


def test_splits_without_a_size_go_on() -> None:
    assert len(list(islice(scenes("check", seed=3), 60))) == 60


def test_world_train_is_what_the_instruction_stage_draws_when_it_draws_regular_scenes() -> None:
    batches = [scenes_of(INSTRUCTIONS, step, 8, {"regular": 1.0}) for step in range(2)]
    assert list(scenes("world-train", 16)) == [one for batch in batches for one in batch]


def test_a_seed_is_refused_where_there_is_one_set() -> None:
    with pytest.raises(ValueError, match="`test` has no seeds; those that have are check, heldout, regular"):
        scene("test", 0, seed=1)


def test_every_heldout_scene_shows_a_held_out_pair() -> None:
    for one in scenes("heldout", 30, seed=4):
        assert any((thing.color, thing.shape) in HELD_OUT for thing in one.things)
