"""A server that others wrote, `transformers serve`, with models made on the spot: protocol, streams, tokens."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from transformers import AutoTokenizer
from transformers.utils.import_utils import is_serve_available

from agent.decision import Calls
from agent.openai_planner import OpenAIPlanner, offers
from agent.thread import Left, ThreadView
from store.address import parse
from store.database import open_store
from tests.agent.stock_server import save_babbler, save_parrot, transformers_serve
from tests.conftest import skip_or_fail
from tests.labelling import ABSTAINED, Labelled, Place, label

COMPONENT = parse(ABSTAINED)
REASON = "A parrot has seen nothing."
ABSTAIN = ("<call>", '{"name": "abstain", "arguments": ', f'{{"reason": "{REASON}"}}', "}", "</call>")


@pytest.fixture
def place(labelled: Labelled, tmp_path: Path) -> Place:
    return Place(tmp_path, labelled.place.cache)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `babbler`, which calls no tool, and `parrot`, which calls `abstain`."""
    folder = tmp_path_factory.mktemp("models")
    save_babbler(folder / "babbler")
    save_parrot(folder / "parrot", ABSTAIN)
    return folder


@pytest.fixture(scope="module")
def url(models: Path) -> Iterator[str]:
    if not is_serve_available():
        skip_or_fail("transformers-serve", "fastapi or uvicorn is not installed")
    with transformers_serve(models / "log.txt") as address:
        yield address


def test_what_it_streams_is_heard_as_it_comes_and_its_tokens_are_those_of_its_tokenizer(
    models: Path, url: str
) -> None:
    heard: list[str] = []
    planner = OpenAIPlanner(
        str(models / "babbler"), url, retries=0, tell=lambda component, said: heard.append(said)
    )
    view = ThreadView(COMPONENT, "tiny", "llava", 0, 0, Left(5))
    choice = asyncio.run(planner.decide(view, []))
    thought = choice.decision.thought
    assert isinstance(choice.decision, Calls) and not choice.decision.calls
    assert len(set(heard)) > 2 and heard[-1] == thought and all(map(thought.startswith, heard))
    assert choice.usage and not choice.usage.estimated
    tokenizer = AutoTokenizer.from_pretrained(models / "babbler")
    sent = json.loads(choice.prompt)["messages"]
    read = tokenizer.apply_chat_template(
        sent, tools=[*offers(view, [])], add_generation_prompt=True, tokenize=False
    )
    assert choice.usage.prompt_tokens == len(tokenizer(str(read))["input_ids"])
    assert choice.usage.completion_tokens == len(re.findall(r"<\w+>|.", thought)) + 1, "and the end"


def test_a_call_that_a_model_made_there_ends_a_run_as_it_says(models: Path, url: str, place: Place) -> None:
    said = place.says(
        *label(ABSTAINED, "--planner", f"openai:{models / 'parrot'}", "--base-url", url, "--json")
    )
    assert said.code == 0, said.err
    (found,) = said.json["descriptions"]
    assert (found["status"], found["reason"]) == ("abstained", REASON)
    cost = said.json["cost"]
    assert cost["requests"] == 1 and cost["tokens"] > 1000 and cost["money"] is None


def test_a_model_that_calls_no_tool_ends_a_run_in_a_state_that_says_so(
    models: Path, url: str, place: Place
) -> None:
    babbler = models / "babbler"
    said = place.says(*label(ABSTAINED, "--planner", f"openai:{babbler}", "--base-url", url, "--json"))
    error = said.json["error"]
    assert (said.code, error["kind"]) == (3, "endpoint-tools"), said.err
    assert error["message"] == f"`{babbler}` at `{url}` does not call tools"
    assert "vLLM with `--enable-auto-tool-choice" in error["hint"] and "--resume" in error["hint"]
    with open_store(place.store) as store:
        (run,) = store.queries.runs()
        turns = store.queries.steps(run.id, ABSTAINED)
        assert run.status == "partial" and store.queries.descriptions(run.id) == []
    assert [turn.decision["kind"] for turn in turns] == ["calls"] * 2, "what was said and paid for is kept"
    assert all(turn.usage["prompt_tokens"] > 1000 for turn in turns)
    assert "tokens in 3 requests, price unknown" in place.says("show", "run", run.id).out
