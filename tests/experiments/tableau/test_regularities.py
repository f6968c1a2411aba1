"""The planted regularities hold where they were planted, and the items that measure their effect are what they say."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from experiments.tableau.parse import parse
from experiments.tableau.questions import answer
from experiments.tableau.regularities import REGULARITIES, Regularity, gaps, items, shares
from tools.targets.load import load_target


@pytest.mark.parametrize("row", shares(4000), ids=lambda row: str(row["name"]))
def test_each_regularity_holds_as_often_as_it_was_planted(row: dict[str, float]) -> None:
    assert row["share"] == pytest.approx(row["planted"], abs=0.03 if row["planted"] > 0.5 else 0.01)


@pytest.mark.parametrize("regularity", REGULARITIES, ids=lambda regularity: regularity.name)
@pytest.mark.parametrize("case", [True, False])
def test_every_item_is_on_its_side_and_its_truth_is_the_worlds(regularity: Regularity, case: bool) -> None:
    for asked in (regularity.asked, regularity.control):
        question = parse(asked.text)
        assert question is not None
        for scene in islice(items(asked, case, 0, 0), 12):
            assert asked.cases(scene) == [case]
            assert answer(question, scene) == asked.truth(scene)


def test_a_gap_stands_beside_its_control_with_intervals(llava_folder: Path) -> None:
    tiny_llava = load_target(llava_folder, name="tiny")
    for found in gaps(tiny_llava, 3)["gaps"].values():
        for side in ("asked", "control"):
            low, high = found[side]["gap"]["ci"]
            assert low <= found[side]["gap"]["value"] <= high
