"""What a server may send in the place of an answer: nothing in it is believed to have the form that it should have."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from agent.decision import Calls
from agent.openai_planner import AT_ONCE, OpenAIPlanner, readable
from agent.streaming import LONGEST
from agent.thread import Left, ThreadView
from experiments.faults.endpoint import another_host, chunk, raw, sent_on
from experiments.faults.server import Wire, events, serving
from store.errors import MaieuticError, UserError
from tests.agent.conftest import COMPONENT, RunOne
from tests.agent.scripted_server import Reply, says
from tests.agent.scripted_server import serving as scripted
from tests.agent.test_openai_planner import ABSTAIN, PROPOSE, WEIGH
from tools.budget import Budget, Payer, paying
from tools.context import ToolContext

pytestmark = pytest.mark.asyncio
VIEW = ThreadView(COMPONENT, "tiny", "llava", 0, 0, Left(5))


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-logs")


async def refusal(spoil: Any, **options: Any) -> MaieuticError:
    with serving(lambda _: {"content": "…"}) as endpoint:
        endpoint.fault = spoil
        planner = OpenAIPlanner("m", endpoint.url, **({"retries": 0, "timeout": 5.0} | options))
        with pytest.raises(MaieuticError) as failed:
            await planner.decide(VIEW, [])
    return failed.value


@pytest.mark.parametrize(
    "delta",
    [
        7,
        "words",
        {"content": {"a": 1}},
        {"content": 7},
        {"tool_calls": 7},
        {"tool_calls": [{"index": -1, "function": {"name": "x", "arguments": "{}"}}]},
        {"tool_calls": [{"index": 10**9, "function": {"name": "x", "arguments": "{}"}}]},
        {"tool_calls": [{"index": 0, "function": {"name": 7, "arguments": {}}}]},
        {"tool_calls": [{"index": 0, "id": [], "function": {"name": "x", "arguments": "{}"}}]},
    ],
)
async def test_a_piece_of_another_form_is_unreadable(delta: Any) -> None:
    error = await refusal(chunk(delta))
    assert error.kind == "endpoint" and "sent something unreadable" in error.message


@pytest.mark.parametrize(
    "told",
    [
        [],
        {"choices": 7},
        {"choices": [7]},
        {"choices": [{"message": {"content": 7}}]},
        {"choices": [{"message": {"tool_calls": {"a": 1}}}]},
    ],
)
async def test_an_answer_of_another_form_is_unreadable(told: Any) -> None:
    error = await refusal(lambda wire, _: wire.json(told))
    assert error.kind == "endpoint" and "sent something unreadable" in error.message


@pytest.mark.parametrize("told", ["[" * 200_000, '{"choices": ' * 5000])
async def test_json_without_bottom_is_unreadable(told: str) -> None:
    error = await refusal(lambda wire, _: wire.text(told, 200, {"Content-Type": "application/json"}))
    assert error.kind == "endpoint" and "sent something unreadable" in error.message


async def test_what_is_no_http_at_all_did_not_answer() -> None:
    assert "did not answer" in (await refusal(raw(b"SSH-2.0-OpenSSH_9.9\r\n"))).message


async def test_numbers_of_tokens_that_are_none_are_not_counted() -> None:
    told = says(ABSTAIN)
    assert isinstance(told.body, dict)
    wrong = {"prompt_tokens": "many", "completion_tokens": -5, "prompt_tokens_details": 3}
    with scripted(replace(told, body=told.body | {"usage": wrong})) as endpoint:
        choice = await OpenAIPlanner("m", endpoint.url).decide(VIEW, [])
    assert choice.usage and choice.usage.estimated and choice.usage.tokens > 0


async def test_an_answer_without_end_is_read_no_further_than_anyone_would() -> None:
    def babble(wire: Wire, _: Any) -> None:
        wire.begin_stream()
        piece = json.dumps({"id": "c", "choices": [{"index": 0, "delta": {"content": "la " * 5000}}]})
        while True:
            wire.piece(piece)

    with serving(lambda _: {"content": "…"}) as endpoint:
        endpoint.fault = babble
        choice = await OpenAIPlanner("m", endpoint.url, retries=0).decide(VIEW, [])
    assert choice.usage and choice.usage.estimated
    assert LONGEST / 4 < choice.usage.completion_tokens < LONGEST


async def test_a_server_that_sends_a_crumb_now_and_then_is_left_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from experiments.faults.endpoint import endless

    monkeypatch.setattr("agent.endpoint.LONGEST", 0.05)
    began = time.monotonic()
    error = await refusal(endless, timeout=20.0)
    assert error.kind == "endpoint" and "came to no end" in error.message and time.monotonic() - began < 10


async def test_a_redirect_carries_nothing_to_another_host_and_names_it() -> None:
    with another_host() as there:
        error = await refusal(sent_on(there))
        assert there.asked == 0
    assert isinstance(error, UserError) and error.kind == "endpoint-url"
    assert f"sends us on to `{there.url}/chat/completions` (307)" in error.message
    assert "nothing was sent there" in error.hint


async def test_a_server_that_wants_to_be_left_alone_for_an_hour_is_not_waited_for() -> None:
    began = time.monotonic()
    error = await refusal(lambda wire, _: wire.json({"error": {}}, 429, {"Retry-After": "3600"}), retries=4)
    assert "wants to be asked again after `3600`" in error.message and time.monotonic() - began < 60


async def test_a_refusal_in_its_own_field_is_what_the_model_said_and_no_lack_of_tools(
    run_one: RunOne,
) -> None:
    no = {"content": None, "refusal": "I can't help with that."}
    with serving(lambda _: no) as endpoint:
        planner = OpenAIPlanner("m", endpoint.url, retries=0)
        choice = await planner.decide(VIEW, [])
        assert choice.decision == Calls(thought="I can't help with that.")
        outcome = await run_one(planner)
    assert outcome.by == "loop" and "3 turns in a row did nothing" in outcome.decision.reason  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "arguments",
    [
        '{"component": ' + "[" * 900 + "]" * 900 + "}",
        '{"a": "' + "x" * 3_000_000 + '"}',
        '{"a": ' + "1" * 5000 + "}",
    ],
    ids=["nested", "huge", "digits"],
)
async def test_arguments_beyond_reason_are_kept_in_part_and_not_run(arguments: str) -> None:
    call = readable("weigh" * 1000, arguments)
    assert call.arguments == {} and 0 < len(call.unreadable) <= 500 and len(call.tool) <= 120


async def test_a_refusal_is_told_at_a_length_that_can_be_told_again(
    run_one: RunOne, context: ToolContext, run: str
) -> None:
    many = {f"no such argument {number}": number for number in range(600)}
    with scripted(says(("weigh", many)), says(ABSTAIN)) as endpoint:
        await run_one(OpenAIPlanner("m", endpoint.url, retries=0))
    (reply,) = [one for one in endpoint.requests[1]["messages"] if one["role"] == "tool"]
    assert "there is no `no such argument 0`" in reply["content"] and len(reply["content"]) < 2200


async def test_of_hundreds_of_calls_the_first_are_read_and_the_model_is_told(
    run_one: RunOne, context: ToolContext, run: str
) -> None:
    with scripted(says(PROPOSE, *[WEIGH] * 400), says(ABSTAIN)) as endpoint:
        await run_one(OpenAIPlanner("m", endpoint.url, retries=0))
    spoken = endpoint.requests[1]["messages"][2]
    assert len(spoken["tool_calls"]) == AT_ONCE and len(context.store.queries.experiments(run)) == 1
    assert spoken["content"].startswith("(the last 369 calls of this turn were not read")


async def test_an_error_that_repeats_what_was_sent_is_cut_and_without_controls() -> None:
    refused = Reply({"error": {"message": "no \x1b[2J\u202e" + "x" * 9000}}, 400)
    with scripted(refused) as endpoint, pytest.raises(UserError) as failed:
        await OpenAIPlanner("m", endpoint.url).decide(VIEW, [])
    assert "no \\x1b[2J\\u202exx" in failed.value.message and len(failed.value.message) < 500


async def test_every_try_is_one_of_those_allowed_and_an_answer_that_broke_off_is_paid_for() -> None:
    """Failures at once and answers that break off count together: two retries are three requests."""

    def spoil(wire: Wire, message: Any) -> None:
        wire.begin_stream()
        wire.piece(events({"content": "well, " * 200})[0])
        wire.hang_up()

    budget = Budget()
    with paying(Payer(budget)), serving(lambda _: {"content": "…"}) as endpoint:
        endpoint.fault = spoil
        with pytest.raises(MaieuticError, match="broke off"):
            await OpenAIPlanner("m", endpoint.url, retries=2, timeout=5.0).decide(VIEW, [])
    assert endpoint.asked == 3
    assert budget.own.requests == 3 and budget.own.spent_tokens > 3 * 100


async def test_a_server_that_does_not_stream_serves_questions_that_are_asked_at_once() -> None:
    together = threading.Barrier(3)

    def spoil(wire: Wire, message: Any) -> None:
        together.wait(30)
        wire.json({"error": {"message": "unknown parameter: stream_options"}}, 400)

    with serving(lambda _: {"content": "…"}) as endpoint:
        endpoint.fault, endpoint.met = spoil, lambda body, _: bool(body.get("stream"))
        planner = OpenAIPlanner("m", endpoint.url, retries=0, timeout=60.0)
        await asyncio.gather(*(planner.decide(VIEW, []) for _ in range(3)))
    assert (endpoint.hit, endpoint.asked) == (3, 6)
