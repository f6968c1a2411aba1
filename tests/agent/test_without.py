"""A built-in planner that lacks a part says so in its name, and the name gives the same planner again."""

from __future__ import annotations

from itertools import chain, combinations

import pytest

from agent.builtin import BuiltinPlanner
from agent.builtin.variants import variants
from agent.builtin.without import PARTS, WHOLE, named, without_of
from store.errors import UsageError
from tests.agent.test_builtin import compared, view
from tests.agent.test_variants import favorite, lead, left_open

CHOICES = [
    frozenset(chosen) for chosen in chain.from_iterable(combinations(PARTS, n) for n in range(len(PARTS) + 1))
]


@pytest.mark.parametrize("without", CHOICES, ids=named)
def test_the_name_says_what_is_missing(without: frozenset[str]) -> None:
    assert without_of(BuiltinPlanner(without).name) == without  # type: ignore[arg-type]  # made of PARTS


def test_the_whole_planner_is_called_what_it_always_was() -> None:
    assert (BuiltinPlanner().name, without_of("builtin")) == ("builtin", WHOLE)
    assert named(frozenset({"causal", "pairs"})) == "builtin:no-pairs,no-causal"


@pytest.mark.parametrize("name", ["builtin:pairs", "builtin:no-words", "builtin:no-pairs,no-words", "other"])
def test_parts_that_it_does_not_have_can_not_be_taken_away(name: str) -> None:
    with pytest.raises(UsageError, match="is no built-in planner"):
        without_of(name)


def test_without_facets_nothing_is_added_to_a_favorite_and_conditions_still_are() -> None:
    leads = left_open(
        2, "star", missed=[lead("moon", 9.0)], sharper=[lead("dark background", 8.0)], spoiled=[]
    )
    seen = view(compared(1, "star", 1.0), leads)
    assert variants(seen, favorite("star")) == ["moon | star", "dark background & star"]
    assert variants(seen, favorite("star"), frozenset({"facets"})) == ["dark background & star"]
