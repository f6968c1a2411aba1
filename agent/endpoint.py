"""An OpenAI-compatible endpoint: one question there, one answer back, and what it cost.

Knows patience, and what may come instead of an answer; key, address and refusals are tools/access.py's. Every request
is paid from the budget at hand (tools/budget.py). Knows nothing about threads.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from openai import APIConnectionError, APIError, APIStatusError, OpenAIError, omit

from agent.planner import Usage
from agent.prices import Prices
from agent.refusals import refused, too_long, without_streams
from agent.streaming import Answer, BrokenOff, heard
from store.errors import MaieuticError
from tools.access import Access
from tools.budget import PAYING, RETRIES, TIMEOUT

A_TOKEN = 4
"""Characters of a token, about, where no endpoint counts them."""
A_PICTURE = 300
"""Tokens of a small picture, about."""
Message = dict[str, Any]
Hear = Callable[[str], None]
"""Is told what has been said so far, while an answer comes."""


def silent(said: str) -> None:
    """Nobody listens."""


LONGEST = 10
"""Times the timeout that a whole answer may take: some servers send a crumb now and then, and never end."""
WAIT = 120.0
"""Seconds that a server may ask us to wait before the next try; where it wants more, the run is resumed later."""


class TooLong(MaieuticError):
    """The conversation does not fit into the model's context."""


@dataclass
class Endpoint:
    """`model` at `base_url` (else OPENAI_BASE_URL, else OpenAI's own).

    Connections live for one question, so that an endpoint outlives event loops and has nothing to close. `retries` and
    `timeout` (seconds) bound each request; `temperature` is left to the endpoint unless given.
    """

    model: str
    base_url: str = ""
    retries: int = RETRIES
    timeout: float = TIMEOUT
    temperature: float | None = None
    prices: Prices = field(default_factory=Prices)
    _streams: bool = True

    def __post_init__(self) -> None:
        self._access = Access(self.base_url)
        self.base_url = self._access.base_url

    @property
    def place(self) -> str:
        """The endpoint without anything that may be secret."""
        return self._access.place

    async def ask(self, messages: list[Message], tools: list[Message], hear: Hear = silent) -> Answer:
        """The model's answer.

        Raises MaieuticError of kind "endpoint" when there is none after the retries, TooLong when the messages do not
        fit, UserError when there can be none (a wrong key, an unknown model), BudgetReached when it can't be paid.
        """
        paid: list[Usage] = []
        for attempt in range(self.retries + 1):
            try:
                answer = await self._paid(messages, tools, hear, self.retries - attempt, paid)
                return answer.with_usage(reduce(Usage.with_, paid))
            except BrokenOff as error:
                if attempt == self.retries:
                    raise self._access.unreachable(f"broke off ({error})") from None
                await asyncio.sleep(min(8.0, 0.5 * 2**attempt))
        raise AssertionError("the last attempt returns or raises")

    async def _paid(
        self, messages: list[Message], tools: list[Message], hear: Hear, retries: int, paid: list[Usage]
    ) -> Answer:
        """One answer, paid for as far as it came, however it ended; what it cost is put to `paid`."""
        payer = PAYING.get()
        if payer is not None:
            await payer.admit()
        found, begun = Answer(), False
        try:
            found = await self._once(messages, tools, hear, retries, found)
            begun = True
        except BrokenOff:
            begun = True
            raise
        finally:
            usage = self._usage(found, messages) if begun or found.size or found.tokens else Usage()
            paid.append(usage)
            if payer is not None:
                payer.pay(usage.paid)
        return found

    async def _once(
        self, messages: list[Message], tools: list[Message], hear: Hear, retries: int, found: Answer
    ) -> Answer:
        """One answer; where none begins, the client itself asks again so many times. `found` is what has come of it."""
        messages_, tools_ = json.loads(json.dumps([messages, tools]))
        streams = self._streams
        try:
            async with (
                asyncio.timeout(LONGEST * self.timeout + WAIT * retries),
                self._access.client(retries, self.timeout) as client,
            ):
                stream = await client.chat.completions.create(
                    model=self.model,
                    messages=messages_,
                    tools=tools_ or omit,
                    temperature=omit if self.temperature is None else self.temperature,
                    stream=streams,
                    stream_options={"include_usage": True} if streams else omit,
                )
                answer = await heard(stream, hear, found)
        except APIStatusError as error:
            if too_long(error):
                raise TooLong(
                    f"`{self.model}` can't hold the whole thread", kind="endpoint-context"
                ) from None
            if streams and without_streams(error):
                self._streams = False
                return await self._once(messages, tools, hear, retries, found)
            raise refused(self._access, self.model, error) from None
        except APIConnectionError as error:
            why = str(error.__cause__ or "") or type(error).__name__
            raise self._access.unreachable(f"did not answer ({self._access.masked(why)})") from None
        except APIError as error:
            if too_long(error):
                raise TooLong(
                    f"`{self.model}` can't hold the whole thread", kind="endpoint-context"
                ) from None
            raise self._access.unreachable(
                f"ended its answer with an error ({type(error).__name__})"
            ) from None
        except TimeoutError:
            raise self._access.unreachable("came to no end with its answer") from None
        except (OpenAIError, ValueError, RecursionError) as error:
            raise self._access.unreachable(f"sent something unreadable ({type(error).__name__})") from None
        if answer is None:
            raise self._access.unreachable("sent an answer without choices")
        return answer

    def _usage(self, answer: Answer, messages: list[Message]) -> Usage:
        """As the endpoint tells it, or estimated where it does not."""
        told = answer.tokens
        prompt, completion, cached = told or (weight(messages), answer.size // A_TOKEN + 1, 0)
        return Usage(
            model=answer.model or self.model,
            prompt_tokens=prompt,
            completion_tokens=completion,
            cached_tokens=cached,
            requests=1,
            money=self.prices.money((self.model, answer.model), prompt, completion, cached),
            currency=self.prices.currency,
            estimated=told is None,
        )


def weight(messages: list[Message]) -> int:
    """Tokens of messages, about: a fourth of their characters, and a fixed sum for each picture."""

    def of(part: Any) -> int:
        if isinstance(part, dict):
            if part.get("type") == "image_url":
                return A_PICTURE * A_TOKEN
            return sum(of(one) for one in part.values())
        return sum(map(of, part)) if isinstance(part, list) else len(part) if isinstance(part, str) else 0

    return sum(of(message) for message in messages) // A_TOKEN + 1
