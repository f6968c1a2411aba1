"""What programs are given: declarations from the tools' definitions, arguments by place, and plain arithmetic."""

from __future__ import annotations

import ast
import statistics
from typing import Literal

import pytest

from agent.programs.given import mean, median, ranked, std
from agent.programs.stubs import bound, stubs
from store.errors import PlannerError
from store.records import Reading
from tools import door  # noqa: F401  # its import registers every tool
from tools.context import ToolContext
from tools.tool import TOOLS, Arguments, Result, Tool


class Odd(Arguments):
    size: int = 3
    name: str
    how: Literal["add", "swap"] = "add"
    reading: Reading = Reading()
    images: tuple[int | str, ...] = ()


def odd(context: ToolContext, arguments: Odd) -> Result:
    """Does nothing."""
    return Result(summary="nothing")


ODD = Tool("odd", Odd, Result, odd)


def test_a_declaration_has_what_must_be_given_first_and_the_types_of_the_schema() -> None:
    told = stubs([ODD])
    assert (
        "def odd(name: str, size: int = ..., how: Literal['add', 'swap'] = ..., reading: Reading = ..., "
        "images: Sequence[int | str] = ...) -> Result: ..." in told
    )
    assert "class Reading(TypedDict):\n    sign: NotRequired[Literal['+', '-']]" in told


def test_every_tool_can_be_declared() -> None:
    declared = {node.name for node in ast.parse(stubs(list(TOOLS.values()))).body if hasattr(node, "name")}
    assert declared >= set(TOOLS)


def test_arguments_by_place_get_the_names_of_the_declaration() -> None:
    assert bound(ODD, ["x", 5], {"how": "swap"}) == {"name": "x", "size": 5, "how": "swap"}
    with pytest.raises(PlannerError, match="`name` is given twice"):
        bound(ODD, ["x"], {"name": "y"})
    with pytest.raises(PlannerError, match="it takes 5 arguments at most"):
        bound(ODD, list("abcdef"), {})


@pytest.mark.parametrize("values", [[3.0, 1.0, 2.0], [1, 2, 3, 10], (0.5, 0.5)])
def test_the_arithmetic_agrees_with_pythons_own(values: list[float]) -> None:
    assert mean(values) == pytest.approx(statistics.mean(values))
    assert std(values) == pytest.approx(statistics.stdev(values))
    assert median(values) == pytest.approx(statistics.median(values))


def test_names_are_ranked_highest_first_and_equal_ones_as_they_came() -> None:
    assert ranked({"a": 1, "b": 3, "c": 1}) == [("b", 3), ("a", 1), ("c", 1)]


def test_too_few_values_are_refused() -> None:
    for function, values in ((mean, []), (median, []), (std, [1.0])):
        with pytest.raises(ValueError, match="values"):
            function(values)
