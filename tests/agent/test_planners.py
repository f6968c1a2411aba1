"""What every planner must keep to, whoever wrote it: a new one passes by being added to PLANNERS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from agent.bench import Bench
from agent.builtin import BuiltinPlanner
from agent.builtin.without import PARTS
from agent.decision import Abstention, Conclusion, as_row, from_row
from agent.graph import run_thread
from agent.openai_planner import OpenAIPlanner
from agent.planner import Planner
from agent.record import Asked, Outcome, asked_of, decisions, read_view
from agent.recorded import Recorded
from agent.state import Limits
from store.address import Address, parse
from store.errors import UserError
from tests.agent.conftest import COMPONENT
from tests.agent.scripted_server import Body, Reply, says, serving
from tests.agent.weighing import Scripted, conclusion, hypothesis, weigh_red
from tools.budget import Budget
from tools.context import ToolContext
from tools.tool import TOOLS

pytestmark = pytest.mark.asyncio


@dataclass
class Place:
    """Where a planner is made: a context, and what is closed when the test is over."""

    context: ToolContext
    stack: ExitStack

    def new_run(self) -> str:
        return self.context.store.recorder.open_run("label", self.context.target.fingerprint, {}, 0, "test")

    async def carry(
        self, planner: Planner, run: str, component: Address = COMPONENT, calls: int | None = None
    ) -> Outcome:
        alive = replace(
            self.context, budget=Budget(calls), memory=replace(self.context.memory, charged=set())
        )
        with Bench() as bench:
            return await run_thread(
                alive, planner, bench, run, component, InMemorySaver(), limits=Limits(steps=40)
            )


async def scripted(place: Place) -> Planner:
    return Scripted(
        [weigh_red, lambda view: conclusion(view) if view.experiments else Abstention(reason="nothing")]
    )


async def language_model(place: Place) -> Planner:
    def answer(body: Body) -> Reply:
        said = body["messages"]
        offered = [offer["function"]["name"] for offer in body["tools"]]
        done = [call["function"]["name"] for message in said for call in message.get("tool_calls", ())]
        if "weigh" in offered and "weigh" not in done:
            arguments = {"component": str(COMPONENT), "concept": "red"}
            return says(("propose_hypothesis", hypothesis().model_dump(mode="json")), ("weigh", arguments))
        return says(("abstain", {"reason": "nothing stable was found"}))

    endpoint = place.stack.enter_context(serving(answer))
    return OpenAIPlanner("scripted", endpoint.url, retries=0)


async def recorded(place: Place) -> Planner:
    earlier = place.new_run()
    await place.carry(Scripted([weigh_red, conclusion]), earlier)
    return Recorded(place.context.store, earlier)


async def builtin(place: Place) -> Planner:
    return BuiltinPlanner()


async def bare(place: Place) -> Planner:
    return BuiltinPlanner(frozenset(PARTS))


Maker = Callable[[Place], Any]
PLANNERS: dict[str, Maker] = {
    "scripted": scripted,
    "openai": language_model,
    "recorded": recorded,
    "builtin": builtin,
    "builtin without its parts": bare,
}
"""How each planner is made; all of them meet the same small world with all tools and `weigh`."""


@pytest.fixture
def place(context: ToolContext, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("OPENAI_API_KEY", "unused")
    with ExitStack() as stack:
        yield Place(context, stack)


every_planner = pytest.mark.parametrize("make", PLANNERS.values(), ids=PLANNERS)


@every_planner
async def test_a_thread_ends_in_a_conclusion_or_an_abstention(place: Place, make: Maker) -> None:
    planner = await make(place)
    outcome = await place.carry(planner, place.new_run())
    assert isinstance(outcome.decision, Conclusion | Abstention)
    assert outcome.by == "planner", outcome.decision
    assert planner.name


@every_planner
async def test_the_same_view_gives_the_same_decision_in_any_process(place: Place, make: Maker) -> None:
    planner, run = await make(place), place.new_run()
    await place.carry(planner, run)
    for turn in decisions(place.context.store, run, str(COMPONENT)):
        asked = asked_at(place, run, turn.step)
        view = read_view(place.context, run, COMPONENT, turn.step, 40 - turn.step, asked)
        again = await planner.decide(view, list(TOOLS.values()))
        assert again.decision == turn.decision
        assert from_row(as_row(again.decision)) == again.decision


@every_planner
async def test_told_to_finish_it_finishes(place: Place, make: Maker) -> None:
    planner = await make(place)
    outcome = await place.carry(planner, place.new_run(), calls=1)
    assert outcome.by == "planner" and outcome.finish, outcome.decision


@every_planner
async def test_whatever_a_planner_concludes_has_its_receipts(place: Place, make: Maker) -> None:
    planner, run = await make(place), place.new_run()
    outcome = await place.carry(planner, run)
    have = {experiment.number for experiment in place.context.store.queries.experiments(run, str(COMPONENT))}
    assert set(outcome.evidence) <= have
    assert isinstance(outcome.decision, Abstention) or outcome.evidence


async def test_a_recorded_run_comes_to_the_same_words_under_new_numbers(place: Place) -> None:
    earlier, run = place.new_run(), place.new_run()
    first = await place.carry(Scripted([weigh_red, conclusion]), earlier)
    second = await place.carry(Recorded(place.context.store, earlier), run)
    assert isinstance(first.decision, Conclusion) and isinstance(second.decision, Conclusion)
    (old,), (new,) = first.evidence, second.evidence
    assert new != old
    assert second.decision.text == first.decision.text.replace(f"[e{old}]", f"[e{new}]")


async def test_a_recorded_run_can_not_speak_of_what_it_never_saw(place: Place) -> None:
    earlier = place.new_run()
    await place.carry(Scripted([weigh_red, conclusion]), earlier)
    with pytest.raises(UserError, match=r"has no turn 1 for `language\.1\.mlp\.5`"):
        await place.carry(Recorded(place.context.store, earlier), place.new_run(), parse("language.1.mlp.5"))


def asked_at(place: Place, run: str, step: int) -> Asked:
    rows = place.context.store.queries.steps(run, str(COMPONENT))
    return asked_of(next(row.decision for row in rows if row.step == step))
