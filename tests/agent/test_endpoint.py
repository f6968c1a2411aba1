"""Endpoints as they differ: streams, half streams, no streams, no usage, conversations that are too long."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from agent.decision import Abstention, Calls
from agent.endpoint import weight
from agent.openai_planner import OpenAIPlanner
from agent.prices import Price, Prices
from agent.thread import Decided, Left, Stated, ThreadView
from agent.verdicts import judge
from store.errors import MaieuticError, UserError
from store.records import Experiment
from tests.agent.conftest import COMPONENT
from tests.agent.scripted_server import Body, Line, Reply, says, serving
from tests.agent.test_openai_planner import ABSTAIN
from tests.agent.weighing import KNOWN, WEIGH, hypothesis

pytestmark = pytest.mark.asyncio
VIEW = ThreadView(COMPONENT, "tiny", "llava", 0, 0, Left(5))
THOUGHT = "Red, I think; but is it the red, or the round?"
Asks = Callable[..., Any]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-unused")


async def test_a_thought_is_told_while_it_comes() -> None:
    heard: list[tuple[str, str]] = []
    with serving(says(ABSTAIN, content=THOUGHT)) as endpoint:
        planner = OpenAIPlanner("m", endpoint.url, tell=lambda *told: heard.append(told))
        choice = await planner.decide(VIEW, [])
    assert choice.decision.thought == THOUGHT
    said = [words for component, words in heard if component == str(COMPONENT)]
    assert said[0] == THOUGHT[: len(THOUGHT) // 2] and said[-1] == THOUGHT
    assert endpoint.requests[0]["stream"] and endpoint.requests[0]["stream_options"] == {
        "include_usage": True
    }


async def test_a_server_that_answers_at_once_is_read_as_well() -> None:
    with serving(replace(says(ABSTAIN, content=THOUGHT), streams=False)) as endpoint:
        choice = await OpenAIPlanner("m", endpoint.url).decide(VIEW, [])
    assert isinstance(choice.decision, Abstention) and choice.usage and choice.usage.tokens == 110
    assert len(endpoint.requests) == 1


async def test_a_server_that_refuses_to_stream_is_asked_without() -> None:
    def answer(body: Body) -> Reply:
        if body.get("stream"):
            return Reply({"error": {"message": "stream_options is not supported"}}, 400)
        return says(ABSTAIN)

    with serving(answer) as endpoint:
        planner = OpenAIPlanner("m", endpoint.url)
        for _ in range(2):
            assert isinstance((await planner.decide(VIEW, [])).decision, Abstention)
    assert [bool(body.get("stream")) for body in endpoint.requests] == [True, False, False]


async def test_an_answer_that_breaks_off_is_asked_for_again() -> None:
    with serving(replace(says(ABSTAIN), breaks=True), says(ABSTAIN)) as endpoint:
        choice = await OpenAIPlanner("m", endpoint.url, retries=1).decide(VIEW, [])
    assert isinstance(choice.decision, Abstention) and len(endpoint.requests) == 2


async def test_an_answer_that_always_breaks_off_can_be_resumed_later() -> None:
    with (
        serving(replace(says(ABSTAIN), breaks=True)) as endpoint,
        pytest.raises(MaieuticError, match="broke off") as failed,
    ):
        await OpenAIPlanner("m", endpoint.url, retries=0).decide(VIEW, [])
    assert failed.value.kind == "endpoint" and "resume" in failed.value.hint


async def test_without_usage_tokens_are_estimated_and_said_to_be() -> None:
    told = says(ABSTAIN)
    assert isinstance(told.body, dict)
    with serving(Reply({name: part for name, part in told.body.items() if name != "usage"})) as endpoint:
        choice = await OpenAIPlanner("m", endpoint.url).decide(VIEW, [])
    assert choice.usage and choice.usage.estimated
    assert choice.usage.prompt_tokens == weight(endpoint.requests[0]["messages"]) > 100


@pytest.mark.parametrize(
    ("prices", "money"), [(Prices({"m": Price(input=1.0, output=2.0)}), 120e-6), (None, None)]
)
async def test_a_turn_costs_what_its_tokens_do_or_nobody_knows(
    prices: Prices | None, money: float | None
) -> None:
    with serving(says(ABSTAIN)) as endpoint:
        choice = await OpenAIPlanner("m", endpoint.url, prices=prices).decide(VIEW, [])
    assert choice.usage and choice.usage.money == (None if money is None else pytest.approx(money))


def experiment(number: int, step: int) -> Experiment:
    return Experiment(
        number=number,
        run="r",
        thread=str(COMPONENT),
        step=step,
        call=0,
        tool="weigh",
        arguments={"concept": f"thing {number}"},
        seed=0,
        fingerprint="f",
        code="c",
        result={"summary": "long " * 60, "quantities": {"effect": KNOWN["red"].model_dump()}},
    )


def long_view(turns: int = 30) -> ThreadView:
    """A thread of many turns, with a hypothesis that was judged in the second one."""
    stated = Stated(1, 0, hypothesis())
    experiments = tuple(experiment(step + 1, step) for step in range(turns))
    stated = replace(stated, verdicts=(judge(stated, experiments[0]),))
    decided = (
        Decided(0, Calls(propose=(stated.hypothesis,), thought="first thought", calls=(call(1),))),
        *(
            Decided(step, Calls(thought=f"thought {step}. {'Well, ' * 200}", calls=(call(step + 1),)))
            for step in range(1, turns)
        ),
    )
    return replace(VIEW, step=turns, decided=decided, experiments=experiments, stated=(stated,))


def call(number: int) -> Any:
    from agent.decision import Call

    return Call(tool="weigh", arguments={"concept": f"thing {number}"})


async def asked(view: ThreadView, *script: Line, **options: Any) -> list[Body]:
    with serving(*script) as endpoint:
        await OpenAIPlanner("m", endpoint.url, **options).decide(view, [WEIGH])
    return endpoint.requests


async def test_older_turns_are_folded_where_the_context_fills_and_receipts_stay() -> None:
    view = long_view()
    (whole,) = await asked(view, says(ABSTAIN))
    (short,) = await asked(view, says(ABSTAIN), context=9000)
    assert weight(whole["messages"]) > 9000 > weight(short["messages"])
    about, rest = short["messages"][1]["content"], json.dumps(short["messages"][2:])
    assert "first thought" not in about and "thought 29." in rest and "thought 3." not in about + rest
    assert json.dumps(view.stated[0].hypothesis.model_dump(mode="json"), ensure_ascii=False) in about
    assert json.dumps(view.stated[0].verdicts[0].model_dump(mode="json"), ensure_ascii=False) in about
    assert '- e1 weigh({"concept": "thing 1"}) → {"experiment": "e1"' in about and '"value": 0.6234' in about


async def test_a_conversation_that_the_endpoint_calls_too_long_is_said_again_in_fewer_words() -> None:
    def answer(body: Body) -> Reply:
        if weight(body["messages"]) > 6000:
            return Reply({"error": {"message": "This model's maximum context length is 6000 tokens"}}, 400)
        return says(ABSTAIN)

    bodies = await asked(long_view(), answer)
    sizes = [weight(body["messages"]) for body in bodies]
    assert len(sizes) > 1 and sizes[0] > 6000 > sizes[-1]


async def test_a_model_that_holds_no_thread_at_all_is_refused_with_what_to_change() -> None:
    refusal = Reply({"error": {"message": "context window exceeded"}}, 400)
    with serving(refusal) as endpoint, pytest.raises(UserError, match="can't hold a thread") as failed:
        await OpenAIPlanner("m", endpoint.url).decide(long_view(), [WEIGH])
    assert failed.value.kind == "endpoint-context" and "num_ctx" in failed.value.hint


async def test_calls_that_a_server_numbers_all_alike_are_told_apart_by_their_ids() -> None:
    def event(**delta: Any) -> str:
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m"}
        return f"data: {json.dumps(chunk | {'choices': [{'index': 0, 'delta': delta}]})}\n\n"

    def called(mark: str) -> dict[str, Any]:
        return {
            "index": 0,
            "id": mark,
            "function": {"name": "weigh", "arguments": f'{{"concept": "{mark}"}}'},
        }

    from agent.streaming import Answer, _add

    found = Answer()
    from openai.types.chat import ChatCompletionChunk

    for mark in ("a", "b"):
        told = json.loads(event(tool_calls=[called(mark)]).removeprefix("data: "))
        _add(found, ChatCompletionChunk.model_validate(told).choices[0].delta)
    assert [one.arguments for one in found.calls] == ['{"concept": "a"}', '{"concept": "b"}']
