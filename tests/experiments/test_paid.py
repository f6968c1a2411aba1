"""A budget of a run holds over all its lives, whatever became of the answers that it paid for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from experiments.allowance import Allowance
from store.database import open_store
from store.views import Payment
from tests.agent.scripted_server import says, serving
from tests.labelling import DESCRIBED, Labelled, Place, label


@pytest.fixture
def place(labelled: Labelled, tmp_path: Path) -> Place:
    return Place(tmp_path, labelled.place.cache)


def test_a_run_whose_answers_always_break_off_can_not_be_resumed_beyond_its_budget(place: Place) -> None:
    with serving(replace(says(content="I shall look at what it likes."), breaks=True)) as endpoint:
        more = ("--planner", "openai:m", "--base-url", endpoint.url, "--retries", "0", "--json")
        assert place.says(*label(DESCRIBED, *more)).code == 3
        with open_store(place.store) as store:
            run = store.queries.runs()[0].id
            (first,) = store.queries.payments(run)
        assert first.tokens > 100
        limited = ("--resume", run, "--base-url", endpoint.url, "--retries", "0", "--json")
        most = 5 * first.tokens
        codes = [place.says("label", *limited, "--max-tokens", str(most)).code for _ in range(5)]
        shown = place.says("show", "run", run, "--json").json["cost"]
    assert codes[0] == 3 and codes[-2:] == [4, 4]
    assert shown["requests"] == len(endpoint.requests) == 1 + codes.count(3)
    assert first.tokens < shown["tokens"] <= most


def test_a_purse_that_is_opened_again_is_the_one_that_was_paid_from() -> None:
    paid = [Payment(tokens=100, money=0.5), Payment(tokens=900, money=None), Payment(tokens=20, money=0.1)]
    allowance = Allowance(tokens=5000, money=1.0)
    living = allowance.purse()
    for one in paid:
        living.pay(one.tokens, one.money, one.requests)
    again = allowance.purse(paid)
    assert (again.spent_tokens, again.spent_money, again.unknown) == (1020, 0.6, 1)
    assert (again.left(), again.low, again.requests) == (living.left(), living.low, living.requests)
    assert again.low, "two requests as large as the largest do not fit into what is left of a limit"
