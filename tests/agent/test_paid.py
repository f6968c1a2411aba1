"""What was paid to an endpoint is on record whatever became of the answer: a resumed thread owes it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from agent.decision import Abstention
from agent.endpoint import Endpoint
from agent.openai_planner import OpenAIPlanner
from agent.prices import Price, Prices
from experiments.faults.server import CRUMB, Body, Wire, events, serving
from store.costs import spent
from store.errors import MaieuticError
from store.views import Payment
from tests.agent.conftest import COMPONENT, RunOne
from tests.agent.scripted_server import Line, says
from tests.agent.scripted_server import serving as scripted
from tests.agent.test_openai_planner import ABSTAIN, PROPOSE, WEIGH
from tools.budget import Budget, Payer, paying
from tools.context import ToolContext

pytestmark = pytest.mark.asyncio
PRICES = Prices({"m": Price(input=1.0, output=1.0)})
BROKEN = replace(says(PROPOSE, WEIGH, content="Let me see what it is that it likes."), breaks=True)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-unused")


@contextmanager
def planner(*script: Line, retries: int = 0) -> Iterator[OpenAIPlanner]:
    with scripted(*script) as endpoint:
        yield OpenAIPlanner("m", endpoint.url, retries=retries, prices=PRICES)


def bill(budget: Budget) -> tuple[int, int, int]:
    """Requests, tokens, and money in millionths."""
    own = budget.own
    return own.requests, own.spent_tokens, round(1e6 * own.spent_money)


async def test_a_resumed_thread_owes_what_answers_that_broke_off_have_cost(
    run_one: RunOne, context: ToolContext
) -> None:
    with planner(says(PROPOSE, WEIGH), BROKEN, retries=2) as unlucky, pytest.raises(MaieuticError):
        await run_one(unlucky)
    requests, tokens, money = bill(context.budget)
    assert requests == 4 and money == tokens > 110
    alive = replace(context, budget=Budget())
    with planner(says(ABSTAIN)) as lucky:
        await run_one(lucky, context=alive)
    assert bill(alive.budget) == (requests + 1, tokens + 110, money + 110)


async def test_a_turn_is_told_with_the_tries_that_broke_off(
    run_one: RunOne, context: ToolContext, run: str
) -> None:
    with planner(BROKEN, says(ABSTAIN), retries=1) as tried:
        await run_one(tried)
    turn = context.store.queries.steps(run, str(COMPONENT))[0].usage
    first, second = context.store.queries.payments(run, str(COMPONENT))
    assert first.estimated and (second.tokens, second.estimated) == (110, False)
    assert (turn["requests"], turn["estimated"]) == (2, True)
    assert turn["prompt_tokens"] + turn["completion_tokens"] == first.tokens + 110


async def test_an_answer_is_on_record_before_anything_is_made_of_it(
    run_one: RunOne, context: ToolContext, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(Exception):
        pass

    def dies(*_: Any) -> Any:
        raise Killed

    with planner(says(ABSTAIN)) as asked, monkeypatch.context() as first_life:
        first_life.setattr("agent.openai_planner.interpret", dies)
        with pytest.raises(Killed):
            await run_one(asked)
    assert context.store.queries.steps(run, str(COMPONENT)) == []
    assert spent(context.store.queries.payments(run)).tokens == 110


async def test_an_answer_that_came_to_no_end_costs_what_its_endpoint_had_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agent.endpoint.LONGEST", 0.1)

    def spoil(wire: Wire, message: Any) -> None:
        """Words and usage, and then crumbs for ever."""
        wire.begin_stream()
        words, told, _ = events({"content": "w"})
        for event in (words, told):
            wire.piece(event)
        while True:
            wire.piece(json.dumps({"choices": []}))
            time.sleep(CRUMB)

    kept: list[Payment] = []
    budget = Budget()
    with serving(lambda _: {"content": "…"}) as server, paying(Payer(budget, kept.append)):
        server.fault = spoil
        endpoint = Endpoint("m", server.url, retries=0, timeout=20.0, prices=PRICES)
        with pytest.raises(MaieuticError, match="came to no end"):
            await endpoint.ask([{"role": "user", "content": "Well?"}], [])
    assert kept == [Payment(tokens=110, money=110e-6, currency=PRICES.currency)]
    assert bill(budget) == (1, 110, 110)


async def test_what_was_never_answered_costs_nothing(run_one: RunOne, context: ToolContext, run: str) -> None:
    def refuses(body: Body) -> Any:
        return replace(says(ABSTAIN), status=503, body={"error": {"message": "busy"}})

    with planner(refuses) as asked, pytest.raises(MaieuticError):
        await run_one(asked)
    assert context.store.queries.payments(run) == [] and bill(context.budget) == (0, 0, 0)


async def test_a_finished_thread_is_paid_once(run_one: RunOne, context: ToolContext, run: str) -> None:
    with planner(says(ABSTAIN)) as asked:
        for _ in range(2):
            assert isinstance((await run_one(asked)).decision, Abstention)
    assert len(context.store.queries.payments(run)) == 1
