"""A describer behind a real endpoint: blind, frugal, and held to the words that a judge knows."""

from __future__ import annotations

import json
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from agent.endpoint import Endpoint
from agent.openai_describer import AT_ONCE, OpenAIDescriber, read
from store.errors import MaieuticError
from tests.agent.scripted_server import Body, Reply, says, serving
from tools.budget import Budget, BudgetReached, Payer, paying
from tools.purse import Purse
from tools.rounds import Rounds
from tools.stimuli import Describer


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-unused")


def pictures(count: int) -> list[Image.Image]:
    return [Image.new("RGB", (16, 16), (number, 0, 0)) for number in range(count)]


def shown(body: Body) -> int:
    return sum(part["type"] == "image_url" for part in body["messages"][0]["content"])


def tells(body: Body) -> Reply:
    return says(content=f"Here: {json.dumps([['a Red', 'star', 'red star']] * shown(body))}")


def over(url: str, folder: Path, words: tuple[str, ...] = ()) -> OpenAIDescriber:
    return OpenAIDescriber("eyes", lambda: Endpoint("eyes", url, retries=0), words, folder)


def test_pictures_are_described_some_at_a_time_in_plain_phrases(tmp_path: Path) -> None:
    with serving(tells) as endpoint:
        describer: Describer = over(endpoint.url, tmp_path)
        told = describer.describe(pictures(AT_ONCE + 3))
    assert told == [("red", "star", "red star")] * (AT_ONCE + 3)
    assert sorted(map(shown, endpoint.requests)) == [3, AT_ONCE] and describer.name == "openai:eyes"
    assert describer.placed(pictures(2)) == [(), ()]


def test_it_is_told_nothing_but_pictures_and_the_question(tmp_path: Path) -> None:
    with serving(tells) as endpoint:
        over(endpoint.url, tmp_path, ("red", "star")).describe(pictures(1))
    (body,) = endpoint.requests
    (message,) = body["messages"]
    assert message["role"] == "user" and "tools" not in body
    asked, *seen = message["content"]
    assert [part["type"] for part in seen] == ["image_url"]
    for secret in ("hypothes", "neuron", "component", "activ", "language.", "e1"):
        assert secret not in asked["text"].replace("there", "")


def test_a_picture_is_paid_for_once_also_by_another_process(tmp_path: Path) -> None:
    with serving(tells) as endpoint:
        first = over(endpoint.url, tmp_path).describe(pictures(2))
        again = over(endpoint.url, tmp_path).describe(pictures(3))
    assert again[:2] == first and list(map(shown, endpoint.requests)) == [2, 1]


def test_what_is_remembered_needs_neither_key_nor_endpoint(tmp_path: Path) -> None:
    with serving(tells) as endpoint:
        over(endpoint.url, tmp_path).describe(pictures(2))

    def never() -> Endpoint:
        raise AssertionError("nothing is new")

    assert len(OpenAIDescriber("eyes", never, (), tmp_path).describe(pictures(2))) == 2


def test_with_closed_words_only_phrases_made_of_them_are_kept(tmp_path: Path) -> None:
    with serving(tells) as endpoint:
        describer = over(endpoint.url, tmp_path, ("red thing", "moon"))
        assert describer.describe(pictures(1)) == [("red",)]
    assert "moon, red, thing" in endpoint.requests[0]["messages"][0]["content"][0]["text"]
    assert describer.vocabulary() == ("red thing", "moon")


def test_an_answer_about_several_that_can_not_be_read_is_asked_for_one_by_one(tmp_path: Path) -> None:
    def answer(body: Body) -> Reply:
        return says(content="They are nice.") if shown(body) > 1 else tells(body)

    with serving(answer) as endpoint:
        assert len(over(endpoint.url, tmp_path).describe(pictures(3))) == 3
    assert list(map(shown, endpoint.requests)) == [3, 1, 1, 1]


def test_a_model_that_does_not_describe_ends_the_run_with_what_to_do(tmp_path: Path) -> None:
    with (
        serving(says(content="I can't see pictures.")) as endpoint,
        pytest.raises(MaieuticError, match="`eyes` does not put pictures into words") as failed,
    ):
        over(endpoint.url, tmp_path).describe(pictures(2))
    assert failed.value.kind.startswith("endpoint") and "--describer" in failed.value.hint


def test_it_is_paid_from_the_budget_at_hand_and_what_was_paid_for_is_kept(tmp_path: Path) -> None:
    budget = Budget(own=Purse(tokens=150))
    with (
        paying(Payer(budget)),
        serving(tells) as endpoint,
        pytest.raises(BudgetReached, match="150 tokens"),
    ):
        over(endpoint.url, tmp_path).describe(pictures(4 * AT_ONCE))
    assert budget.own.spent_tokens == 110 * len(endpoint.requests)
    assert len(list(tmp_path.rglob("*.json"))) == AT_ONCE * len(endpoint.requests)


@pytest.mark.parametrize("fails", [False, True])
def test_calls_at_work_at_once_ask_side_by_side_and_once_for_what_both_want(
    tmp_path: Path, fails: bool
) -> None:
    """The first request is answered, or refused, when the second has come: one that waits for it would never come."""
    both, woken, found = threading.Barrier(2), threading.Event(), dict[str, Any]()

    def together(body: Body) -> Reply:
        if len(endpoint.requests) > 2:
            return tells(body)
        both.wait(30)
        return Reply({"error": {"message": "no"}}, 401) if fails and shown(body) == 2 else tells(body)

    def call(describer: OpenAIDescriber, name: str, numbers: slice) -> None:
        try:
            found[name] = describer.describe(pictures(5)[numbers])
        except MaieuticError:
            found[name] = "refused"

    with serving(together) as endpoint:
        describer, rounds = over(endpoint.url, tmp_path), Rounds(woken.set)
        rounds.start(partial(call, describer, "first", slice(0, 2)))
        rounds.start(partial(call, describer, "second", slice(1, 5)))
        while len(rounds):
            assert woken.wait(30)
            woken.clear()
            rounds.turn()
        alone = over(endpoint.url, tmp_path / "alone").describe(pictures(5))
    assert found == {"first": "refused" if fails else alone[:2], "second": alone[1:]}
    asked = [shown(body) for body in endpoint.requests[:-1]]
    assert (sorted(asked[:2]), asked[2:]) == ([2, 3], [1] if fails else [])


@pytest.mark.parametrize(
    ("told", "pictures", "expected"),
    [
        ('[["a"], ["b"]]', 2, [["a"], ["b"]]),
        ('```json\n[["a"]]\n```', 1, [["a"]]),
        ('["a", "b"]', 1, [["a", "b"]]),
        ('[["a"]]', 2, None),
        ("[[1]]", 1, None),
        ("nothing", 1, None),
        ("", 1, None),
    ],
)
def test_answers_are_read_with_words_around_them_or_not_at_all(
    told: str, pictures: int, expected: Any
) -> None:
    assert read(told, pictures) == expected
