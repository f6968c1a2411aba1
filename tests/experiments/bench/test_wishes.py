"""Half of what is planted has a way to answers; words never meet twice in a layer, and few neurons mislead."""

from __future__ import annotations

from collections import Counter

import pytest

from experiments.bench.wishes import MISLEADING, NEURONS, drawn, rivals
from store.address import Extent, Layers
from store.errors import UserError

EXTENT = Extent("a model", {"vision": Layers(5, 256, 4), "language": Layers(6, 288, 4)})


@pytest.mark.parametrize("n", [0, 1, 2, 4, 5, 23, 60])
def test_half_of_the_neurons_are_wired_and_half_are_decoys(n: int) -> None:
    wishes = drawn(EXTENT, 0, n)
    kinds = Counter(wish.kind for wish in wishes)
    assert len(set(wishes)) == n and kinds["wired"] - kinds["decoy"] in (0, 1)
    assert len({(wish.tower, wish.layer, wish.word) for wish in wishes}) == n


def test_all_but_a_few_wired_neurons_help_with_an_answer_of_their_own() -> None:
    wired = [wish for wish in drawn(EXTENT, 1, NEURONS) if wish.kind == "wired"]
    helping = [wish for wish in wired if wish.answer]
    assert len(wired) - len(helping) == MISLEADING
    assert all((wish.tower, wish.layer) == ("language", 5) for wish in helping)
    assert len({wish.word for wish in helping}) == len(helping)


def test_four_neurons_mislead_help_and_idle_in_both_towers() -> None:
    first, second, *idle = drawn(EXTENT, 2, 4)
    assert (first.answer, second.answer, second.word in ("yes", "no")) == (False, True, True)
    assert [wish.tower for wish in idle] == ["language", "vision"]


def test_another_seed_wishes_for_other_neurons() -> None:
    assert drawn(EXTENT, 3, 12) == drawn(EXTENT, 3, 12) != drawn(EXTENT, 4, 12)


def test_an_answer_stands_against_those_of_its_kind() -> None:
    assert set(rivals("yes")) == {"yes", "no"} and "blue" in rivals("red") and "star" not in rivals("red")


def test_more_neurons_than_there_are_words_for_are_refused() -> None:
    with pytest.raises(UserError, match="`61` neurons can't be planted"):
        drawn(EXTENT, 0, 61)
