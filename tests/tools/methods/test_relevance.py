"""`relevance` through the door, on a world of squares."""

from __future__ import annotations

import pytest

from store.errors import PlannerError
from tests.tools.methods.conftest import Caller
from tools.context import ToolContext


def test_occlusion_is_faithful_where_shuffled_maps_are_not(do: Caller, context: ToolContext) -> None:
    """Four tokens, so that each is a group of its own: the exact map orders them without fault."""
    result = do("relevance", images=[0, 1, 3, 4], method="occlusion").result
    saco = result["quantities"]["saco"]
    assert saco["value"] == pytest.approx(1) and saco["n"] == 4
    assert saco["control"] < 0.9
    assert result["quantities"]["correlation"]["value"] == pytest.approx(1)
    assert result["quantities"]["deletion"]["value"] <= result["quantities"]["insertion"]["value"]
    assert {context.store.artifacts.get(sha)[:4] for sha in result["artifacts"].values()} == {b"\x89PNG"}
    assert [one["key"] for one in result["maps"]] == [context.images.asked(i).key for i in (0, 1, 3, 4)]


def test_the_same_call_gives_the_same_controls(do: Caller) -> None:
    first, again = (do("relevance", method="attention", images=[0, 1]).result["quantities"] for _ in range(2))
    assert first == again


def test_another_emptiness_is_another_experiment(do: Caller) -> None:
    mean, zero = (
        do("relevance", method="occlusion", images=[0, 1], empty=empty).result["quantities"]["whole"]["value"]
        for empty in ("mean", "zero")
    )
    assert mean != zero


def test_pictures_and_a_concept_are_not_given_together(do: Caller) -> None:
    with pytest.raises(PlannerError, match="both given"):
        do("relevance", images=[0, 1], concept="red")


def test_without_a_region_maps_are_not_compared_with_where_the_concept_is(do: Caller) -> None:
    result = do("relevance", concept="red", n=4, method="attention").result
    assert "pointing" not in result["quantities"]
    assert any("don't say where they differ" in warning for warning in result["warnings"])
