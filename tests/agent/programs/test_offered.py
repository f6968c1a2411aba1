"""Programs as a language model is offered them, over real HTTP: proposed, refused, run, read, and cited."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from agent.decision import Conclusion
from agent.openai_planner import OpenAIPlanner
from tests.agent.conftest import RunOne
from tests.agent.scripted_server import Endpoint, says
from tests.agent.test_openai_planner import ABSTAIN, CONCLUDE, PROPOSE, VERDICT, WEIGH, opened

__all__ = ["opened"]
pytestmark = pytest.mark.asyncio
Opened = Callable[..., tuple[Endpoint, OpenAIPlanner]]
SOURCE = 'r = weigh("language.0.mlp.3", "red")\nprint("n is", r["quantities"]["effect"]["n"])'


def run_program(source: str) -> tuple[str, dict[str, Any]]:
    return "run_program", {"source": source}


async def test_a_program_tests_the_hypothesis_that_is_proposed_beside_it(
    opened: Opened, run_one: RunOne
) -> None:
    endpoint, planner = opened(says(PROPOSE, run_program(SOURCE)), says(VERDICT), says(CONCLUDE))
    outcome = await run_one(planner)
    assert isinstance(outcome.decision, Conclusion)
    replies = [one["content"] for one in endpoint.requests[1]["messages"] if one["role"] == "tool"]
    assert json.loads(replies[0]) == {"hypothesis": "h1"}
    ran = json.loads(replies[1])
    assert ran["printed"] == "n is 40\n" and ran["experiments"][0]["experiment"] == "e1"


async def test_beside_single_calls_a_program_waits_for_a_turn_of_its_own(
    opened: Opened, run_one: RunOne
) -> None:
    endpoint, planner = opened(says(WEIGH, run_program(SOURCE)), says(ABSTAIN))
    await run_one(planner)
    replies = [one["content"] for one in endpoint.requests[1]["messages"] if one["role"] == "tool"]
    assert json.loads(replies[0])["experiment"] == "e1"
    assert "`run_program` is a step of its own" in json.loads(replies[1])["refused"]


async def test_its_definition_tells_the_limits_and_which_python_there_is(
    opened: Opened, run_one: RunOne
) -> None:
    endpoint, planner = opened(says(ABSTAIN))
    await run_one(planner)
    offered = {one["function"]["name"]: one["function"] for one in endpoint.requests[0]["tools"]}
    told = " ".join(offered["run_program"]["description"].split())
    for words in ("4000 characters", "40 times", "3.0 seconds", "no class with a base", "`mean(values)`"):
        assert words in told


async def test_a_planner_whose_programs_are_switched_off_is_offered_none(
    opened: Opened, run_one: RunOne
) -> None:
    endpoint, planner = opened(says(ABSTAIN), programs=False)
    await run_one(planner)
    assert "run_program" not in [one["function"]["name"] for one in endpoint.requests[0]["tools"]]
