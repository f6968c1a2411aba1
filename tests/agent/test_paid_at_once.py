"""What an answer in one JSON object has cost is paid, though nothing can be made of it, or it never comes to an end."""

from __future__ import annotations

import time
from typing import Any

import pytest

from agent.endpoint import Endpoint
from agent.prices import Price, Prices
from experiments.faults.server import CRUMB, USAGE, Break, Wire, serving
from store.errors import MaieuticError
from store.views import Payment
from tools.budget import Budget, Payer, paying

pytestmark = pytest.mark.asyncio
PRICES = Prices({"m": Price(input=1.0, output=1.0)})
CALLED = {"message": {"content": "So:", "tool_calls": {"a": 1}}}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-unused")


async def paid(spoil: Break, why: str, streams: bool = True, timeout: float = 5.0) -> list[Payment]:
    """What is on record after one request that fails with these words."""
    kept: list[Payment] = []
    with serving(lambda _: {"content": "…"}) as server, paying(Payer(Budget(), kept.append)):
        server.fault = spoil
        endpoint = Endpoint("m", server.url, retries=0, timeout=timeout, prices=PRICES, _streams=streams)
        with pytest.raises(MaieuticError, match=why):
            await endpoint.ask([{"role": "user", "content": "Well?"}], [])
    return kept


@pytest.mark.parametrize("streams", [True, False], ids=["asked for a stream", "asked for a whole"])
@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"choices": []}, "without choices"),
        ({"choices": 7}, "unreadable"),
        ({"choices": [7]}, "unreadable"),
        ({"choices": [{"message": {"content": 7}}]}, "unreadable"),
        ({"choices": [CALLED]}, "unreadable"),
        ({"choices": [], "model": 7}, "unreadable"),
    ],
)
async def test_usage_beside_choices_that_say_nothing_is_paid(
    told: dict[str, Any], why: str, streams: bool
) -> None:
    kept = await paid(lambda wire, _: wire.json(told | {"usage": USAGE}), why, streams)
    assert kept == [Payment(tokens=110, money=110e-6, currency=PRICES.currency)]


async def test_an_object_without_end_is_paid_for_as_far_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.endpoint.LONGEST", 0.1)

    def endless(wire: Wire, _: Any) -> None:
        wire.send_response(200)
        wire.send_header("Content-Type", "application/json")
        wire.end_headers()
        wire.wfile.write(b'{"choices": [{"message": {"content": "')
        while True:
            wire.wfile.write(b"well, ")
            wire.wfile.flush()
            time.sleep(CRUMB / 5)

    (payment,) = await paid(endless, "came to no end", timeout=20.0)
    assert payment.estimated and payment.tokens > 10


@pytest.mark.parametrize("told", [[], {"choices": []}, "<html>"], ids=["list", "no choices", "words"])
async def test_a_whole_answer_in_which_nothing_was_said_or_counted_costs_nothing(told: Any) -> None:
    assert await paid(lambda wire, _: wire.json(told), "unreadable|without choices") == []
