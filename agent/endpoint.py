"""An OpenAI-compatible endpoint: one question there, one answer back, and what it cost.

Knows the key, addresses, patience and which refusal is whose mistake. The key is read from OPENAI_API_KEY, sent, and
never written anywhere. Every request is paid from the budget at hand (tools/budget.py). Knows nothing about threads.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI, OpenAIError, omit

from agent.planner import Usage
from agent.prices import Prices
from agent.refusals import masked, refused, too_long, without_streams
from agent.streaming import Answer, BrokenOff, heard
from store.errors import MaieuticError, UserError
from tools.budget import PAYING

OWN_SERVER = "http://localhost:11434/v1"
A_TOKEN = 4
"""Characters of a token, about, where no endpoint counts them."""
A_PICTURE = 300
"""Tokens of a small picture, about."""
Message = dict[str, Any]
Hear = Callable[[str], None]
"""Is told what has been said so far, while an answer comes."""


def silent(said: str) -> None:
    """Nobody listens."""


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
    retries: int = 4
    timeout: float = 120.0
    temperature: float | None = None
    prices: Prices = field(default_factory=Prices)
    _key: str = field(default="", repr=False)
    _streams: bool = True

    def __post_init__(self) -> None:
        self._key = os.environ.get("OPENAI_API_KEY", "")
        self.base_url = self.base_url or os.environ.get("OPENAI_BASE_URL") or ""
        if not self._key and not self.base_url:
            raise UserError(
                "`openai` needs a key in `OPENAI_API_KEY`",
                kind="endpoint-key",
                hint=f"set it, or name an endpoint of your own: `--base-url {OWN_SERVER}`",
            )
        if self.base_url and not self.base_url.startswith(("http://", "https://")):
            raise UserError(
                f"`{self.base_url}` is not the address of an endpoint",
                kind="endpoint-url",
                hint=f"such as `{OWN_SERVER}`",
            )

    @property
    def place(self) -> str:
        """The endpoint without anything that may be secret."""
        parts = urlsplit(self.base_url or "https://api.openai.com/v1")
        return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"

    async def ask(self, messages: list[Message], tools: list[Message], hear: Hear = silent) -> Answer:
        """The model's answer.

        Raises MaieuticError of kind "endpoint" when there is none after the retries, TooLong when the messages do not
        fit, UserError when there can be none (a wrong key, an unknown model), BudgetReached when it can't be paid.
        """
        payer = PAYING.get()
        if payer is not None:
            await payer.admit()
        usage = Usage()
        try:
            answer = await self._patiently(messages, tools, hear)
            usage = self._usage(answer, messages)
        finally:
            if payer is not None:
                payer.pay(usage.tokens, usage.money, usage.requests)
        return answer.with_usage(usage)

    async def _patiently(self, messages: list[Message], tools: list[Message], hear: Hear) -> Answer:
        """Asks again when an answer breaks off; the client itself does where none begins."""
        for attempt in range(self.retries + 1):
            try:
                return await self._once(messages, tools, hear)
            except BrokenOff as error:
                if attempt == self.retries:
                    raise self._unreachable(f"broke off ({error})") from None
                await asyncio.sleep(min(8.0, 0.5 * 2**attempt))
        raise AssertionError("the last attempt returns or raises")

    async def _once(self, messages: list[Message], tools: list[Message], hear: Hear) -> Answer:
        messages_, tools_ = json.loads(json.dumps([messages, tools]))
        try:
            async with self._client() as client:
                stream = await client.chat.completions.create(
                    model=self.model,
                    messages=messages_,
                    tools=tools_ or omit,
                    temperature=omit if self.temperature is None else self.temperature,
                    stream=self._streams,
                    stream_options={"include_usage": True} if self._streams else omit,
                )
                answer = await heard(stream, hear)
        except APIStatusError as error:
            if too_long(error):
                raise TooLong(
                    f"`{self.model}` can't hold the whole thread", kind="endpoint-context"
                ) from None
            if self._streams and without_streams(error):
                self._streams = False
                return await self._once(messages, tools, hear)
            raise refused(self.place, self.model, error, self._key) from None
        except APIConnectionError as error:
            why = str(error.__cause__ or "") or type(error).__name__
            raise self._unreachable(f"did not answer ({masked(why, self._key)})") from None
        except APIError as error:
            if too_long(error):
                raise TooLong(
                    f"`{self.model}` can't hold the whole thread", kind="endpoint-context"
                ) from None
            raise self._unreachable(f"ended its answer with an error ({type(error).__name__})") from None
        except (OpenAIError, ValueError) as error:
            raise self._unreachable(f"sent something unreadable ({type(error).__name__})") from None
        if answer is None:
            raise self._unreachable("sent an answer without choices")
        return answer

    def _client(self) -> AsyncOpenAI:
        return AsyncOpenAI(
            api_key=self._key or "none",
            base_url=self.base_url or None,
            max_retries=self.retries,
            timeout=self.timeout,
        )

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

    def _unreachable(self, what: str) -> MaieuticError:
        return MaieuticError(
            f"`{self.place}` {what}",
            kind="endpoint",
            hint="check that the server runs, and that `--base-url` is its address; nothing is lost: resume the run "
            "when it answers again",
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
