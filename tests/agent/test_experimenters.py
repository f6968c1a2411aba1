"""Whole threads with experimenters of every kind, scripted behind a real endpoint: good, lazy, boastful, endless."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from agent.bench import Bench
from agent.checkpoints import open_checkpoints
from agent.decision import Abstention, Conclusion
from agent.endpoint import weight
from agent.graph import run_thread
from agent.openai_planner import OpenAIPlanner
from agent.prices import Price, Prices
from agent.recorded import Recorded
from agent.sights import SIDE
from agent.state import Limits
from store.costs import spent
from tests.agent.conftest import COMPONENT, RunOne
from tests.agent.scripted_server import Body, Endpoint, Line, Reply, says, serving
from tests.agent.test_openai_planner import ABSTAIN, CONCLUDE, PROPOSE, VERDICT, WEIGH
from tests.agent.weighing import WEIGH as WEIGHING
from tools.budget import Budget
from tools.context import ToolContext
from tools.purse import Purse
from tools.tool import TOOLS

pytestmark = pytest.mark.asyncio
Opened = Callable[..., tuple[Endpoint, OpenAIPlanner]]
LOOK = ("top_exemplars", {"component": str(COMPONENT), "k": 3})


@pytest.fixture
def opened(context: ToolContext, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-unused")
    with ExitStack() as stack:

        def open_(*script: Line, **options: Any) -> tuple[Endpoint, OpenAIPlanner]:
            endpoint = stack.enter_context(serving(*script))
            fetch = context.store.artifacts.get
            return endpoint, OpenAIPlanner("scripted", endpoint.url, retries=0, fetch=fetch, **options)

        yield open_


def replies(body: Body) -> list[dict[str, Any]]:
    return [json.loads(one["content"]) for one in body["messages"] if one["role"] == "tool"]


def looks(body: Body) -> Reply:
    """Asks to see the first picture that a result named, and the heat map on it."""
    first = replies(body)[-1]["pictures"][0]
    return says(
        ("look", {"pictures": [first[:10], first[-10:]], "why": "what is hot"}), content="Let me see."
    )


def concludes(body: Body) -> Reply:
    """From the experiment that weighed."""
    number = next(one["experiment"] for one in replies(body) if "effect" in one.get("quantities", {}))
    return says((CONCLUDE[0], json.loads(json.dumps(CONCLUDE[1]).replace("e1", number))))


def judges(body: Body) -> Reply:
    number = next(one["experiment"] for one in replies(body) if "effect" in one.get("quantities", {}))
    return says((VERDICT[0], VERDICT[1] | {"experiment": number}))


SEEING = [WEIGHING, TOOLS["top_exemplars"], TOOLS["look"]]


async def test_a_good_experimenter_sees_the_pictures_that_it_asks_for_and_no_others(
    opened: Opened, run_one: RunOne
) -> None:
    endpoint, planner = opened(says(LOOK), looks, says(PROPOSE, WEIGH), judges, concludes)
    outcome = await run_one(planner, tools=SEEING)
    assert isinstance(outcome.decision, Conclusion), outcome.decision
    assert "image_url" not in json.dumps(endpoint.requests[:2])
    parts = endpoint.requests[2]["messages"][-1]["content"]
    shown = [part for part in parts if part["type"] == "image_url"]
    assert len(shown) == 2 and "e1 top" in parts[0]["text"] and "heat map" in parts[2]["text"]
    for part in shown:
        head, _, data = part["image_url"]["url"].partition(",")
        assert head == "data:image/png;base64" and part["image_url"]["detail"] == "low"
        assert max(Image.open(BytesIO(base64.b64decode(data))).size) <= SIDE
    roles = [message["role"] for message in endpoint.requests[3]["messages"]]
    assert roles == [
        "system",
        "user",
        *("assistant", "tool") * 2,
        "user",
        "assistant",
        "tool",
        "tool",
        "user",
    ]


async def test_the_record_names_pictures_by_their_hashes_and_holds_no_pixels(
    opened: Opened, run_one: RunOne, context: ToolContext, run: str
) -> None:
    _, planner = opened(says(LOOK), looks, says(ABSTAIN))
    await run_one(planner, tools=SEEING)
    rows = context.store.queries.steps(run, str(COMPONENT))
    told = context.store.artifacts.get(rows[2].prompt).decode()
    assert "artifact:" in told and "base64" not in told
    assert "base64" not in json.dumps(list(context.store.queries.export_rows()), default=str)


async def test_a_run_that_looked_at_pictures_is_replayed_without_a_language_model(
    opened: Opened, run_one: RunOne, context: ToolContext, run: str
) -> None:
    endpoint, planner = opened(says(LOOK), looks, says(PROPOSE, WEIGH), judges, concludes)
    first = await run_one(planner, tools=SEEING)
    asked = len(endpoint.requests)
    again = context.store.recorder.open_run("label", context.target.fingerprint, {}, 0, "recorded")
    fresh = replace(context, budget=Budget())
    with Bench() as bench:
        async with open_checkpoints(None) as saver:
            second = await run_thread(
                fresh, Recorded(context.store, run), bench, again, COMPONENT, saver, tools=SEEING
            )
    assert isinstance(first.decision, Conclusion) and isinstance(second.decision, Conclusion)
    assert len(endpoint.requests) == asked
    assert second.decision.concept == first.decision.concept
    old, new = (context.store.queries.experiments(one) for one in (run, again))
    assert [one.tool for one in new] == [one.tool for one in old] == ["top_exemplars", "look", "weigh"]
    assert [row["image"] for row in new[1].result["exemplars"]] == [
        row["image"] for row in old[1].result["exemplars"]
    ]
    assert context.store.queries.payments(again) == []


async def test_a_lazy_one_that_concludes_without_experiments_is_refused(
    opened: Opened, run_one: RunOne, context: ToolContext
) -> None:
    endpoint, planner = opened(says((CONCLUDE[0], CONCLUDE[1] | {"text": "It likes red.", "claims": []})))
    outcome = await run_one(planner, limits=Limits(revisions=1))
    assert isinstance(outcome.decision, Abstention) and outcome.by == "loop"
    refused = replies(endpoint.requests[1])[-1]["refused"]
    assert "`e1` is not an experiment" in refused or "no verdict supports anything" in refused
    assert context.budget.spent_calls == 0 and len(endpoint.requests) <= 3


async def test_a_boastful_one_that_types_its_numbers_is_refused_until_it_cites(
    opened: Opened, run_one: RunOne
) -> None:
    boast = CONCLUDE[1] | {"text": "Red drives it by a huge 0.97, in 99 % of cases [e1]."}
    endpoint, planner = opened(says(PROPOSE, WEIGH), says(VERDICT), says(("conclude", boast)), says(CONCLUDE))
    outcome = await run_one(planner)
    assert isinstance(outcome.decision, Conclusion) and "0.97" not in outcome.decision.text
    refused = replies(endpoint.requests[3])[-1]["refused"]
    assert "`0.97` is not a number" in refused and "`99 %` is not a number" in refused


def endless(body: Body) -> Reply:
    """Proposes for ever; told to finish, gives up."""
    offered = [one["function"]["name"] for one in body["tools"]]
    return says(PROPOSE) if "propose_hypothesis" in offered else says(ABSTAIN)


async def test_one_that_never_stops_is_ended_by_its_budget_with_a_last_word(
    opened: Opened, run_one: RunOne, context: ToolContext, run: str
) -> None:
    context.budget.own = Purse(tokens=1000)
    endpoint, planner = opened(endless)
    outcome = await run_one(planner)
    assert outcome.by == "planner" and outcome.finish.startswith("the budget")
    assert context.budget.own.spent_tokens == len(endpoint.requests) * 110 < 1000 + 110
    paid = context.store.queries.payments(run, str(COMPONENT))
    assert spent(paid).tokens == context.budget.own.spent_tokens
    assert "tokens" in endpoint.requests[1]["messages"][-1]["content"]


async def test_one_that_will_not_conclude_overruns_its_budget_by_one_request_at_most(
    opened: Opened, run_one: RunOne, context: ToolContext, run: str
) -> None:
    context.budget.own = Purse(money=0.001)
    prices = Prices({"scripted": Price(input=1.0, output=1.0)})
    endpoint, planner = opened(says(PROPOSE, WEIGH), says(PROPOSE), prices=prices)
    outcome = await run_one(planner, limits=Limits(revisions=100))
    assert outcome.by == "loop" and "the budget of 0.001 money is spent" in str(outcome.decision)
    each = 110 / 1_000_000
    assert 0.001 <= len(endpoint.requests) * each < 0.001 + each
    assert len(context.store.queries.experiments(run)) == 1, "what was paid for is kept"


async def test_a_call_made_before_gets_its_result_again_with_a_note_and_costs_nothing(
    opened: Opened, run_one: RunOne, context: ToolContext, run: str
) -> None:
    endpoint, planner = opened(says(PROPOSE, WEIGH), says(WEIGH, WEIGH), says(ABSTAIN))
    await run_one(planner)
    first, *again = replies(endpoint.requests[2])[1:]
    assert len(again) == 2
    for reply in again:
        assert "this is e1 already" in reply.pop("note")
        assert reply == first
    assert context.budget.spent_calls == 1 and len(context.store.queries.experiments(run)) == 1


async def test_two_equal_calls_of_one_turn_are_measured_once(
    opened: Opened, run_one: RunOne, context: ToolContext, run: str
) -> None:
    endpoint, planner = opened(says(PROPOSE, WEIGH, WEIGH), says(ABSTAIN))
    await run_one(planner)
    assert "this is e1 already" in replies(endpoint.requests[1])[-1]["note"]
    assert context.budget.spent_calls == 1


async def test_one_that_talks_more_than_its_context_holds_still_concludes_from_its_first_receipt(
    opened: Opened, run_one: RunOne
) -> None:
    statements = [PROPOSE[1] | {"statement": f"Idea {number}."} for number in range(8)]
    talk = [
        says(("propose_hypothesis", one), content=f"Thought {number}. {'Well, ' * 300}")
        for number, one in enumerate(statements)
    ]
    endpoint, planner = opened(says(PROPOSE, WEIGH), says(VERDICT), *talk, says(CONCLUDE), context=5000)
    outcome = await run_one(planner)
    assert isinstance(outcome.decision, Conclusion)
    assert outcome.decision.text == "Red drives it by 0.62 sd [e1], its control by 0.05."
    last = endpoint.requests[-1]["messages"]
    about, rest = last[1]["content"], json.dumps(last[2:])
    assert (
        "turns no longer fit here" in about
        and '- e1 weigh({"component"' in about
        and '"value": 0.6234' in about
    )
    for number in range(len(talk)):
        assert f"Idea {number}." in about, "a hypothesis is never forgotten"
    assert '"outcome": "supports"' in about
    assert "Thought 0." not in about + rest and "Thought 7." in rest
    assert max(weight(body["messages"]) + weight(body["tools"]) for body in endpoint.requests) <= 5000


async def test_one_that_only_repeats_itself_is_ended(opened: Opened, run_one: RunOne) -> None:
    endpoint, planner = opened(says(PROPOSE, WEIGH), says(WEIGH))
    outcome = await run_one(planner)
    assert outcome.by == "loop" and "3 turns in a row did nothing" in str(outcome.decision)
    assert len(endpoint.requests) == 4
