"""The planner `openai:MODEL`: a language model behind any OpenAI-compatible endpoint.

Knows how a thread is put to an endpoint and how its answer becomes a decision. Keeps nothing between turns. The key is
read from OPENAI_API_KEY, sent, and never written anywhere.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from openai import APIConnectionError, APIStatusError, AsyncOpenAI, OpenAIError, omit
from openai.types.chat import ChatCompletion

from agent.decision import Abstention, Call, Calls, Conclusion, Decision
from agent.planner import Choice, Usage
from agent.steps import FINISHING, STEPS, build
from agent.thread import ThreadView
from agent.transcript import messages
from store.errors import MaieuticError, PlannerError, UserError
from store.records import Hypothesis, Verdict
from tools.tool import Tool

OWN_SERVER = "http://localhost:11434/v1"
THOUGHT = 2000
"""Characters of a model's own words that are kept."""
TRY_AGAIN = (408, 409, 425, 429)
"""Status codes below 500 that another time may cure."""


class OpenAIPlanner:
    """Asks `model` at `base_url` (else OPENAI_BASE_URL, else OpenAI's own).

    Connections live for one decision, so that a planner outlives event loops and has nothing to close.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        *,
        retries: int = 4,
        timeout: float = 120.0,
        temperature: float | None = None,
    ) -> None:
        """`retries` and `timeout` (seconds) bound each request; `temperature` is left to the endpoint unless given."""
        self.model = model
        self.temperature = temperature
        self._retries = retries
        self._timeout = timeout
        self._key = os.environ.get("OPENAI_API_KEY", "")
        self._url = base_url or os.environ.get("OPENAI_BASE_URL") or ""
        if not self._key and not self._url:
            raise UserError(
                "`openai` needs a key in `OPENAI_API_KEY`",
                kind="endpoint-key",
                hint=f"set it, or name an endpoint of your own: `--base-url {OWN_SERVER}`",
            )
        if self._url and not self._url.startswith(("http://", "https://")):
            raise UserError(
                f"`{self._url}` is not the address of an endpoint",
                kind="endpoint-url",
                hint=f"such as `{OWN_SERVER}`",
            )

    @property
    def name(self) -> str:
        return f"openai:{self.model}"

    async def decide(self, thread: ThreadView, tools: Sequence[Tool], /) -> Choice:
        """Raises MaieuticError of kind "endpoint" when there is no answer after the retries, UserError when there can
        be none (a wrong key, an unknown model)."""
        said = messages(thread)
        offered = offers(thread, tools)
        completion = await self._complete(said, offered)
        answer = completion.choices[0].message
        called = [
            readable(call.function.name, call.function.arguments)
            for call in answer.tool_calls or ()
            if call.type == "function"
        ]
        spent = completion.usage
        return Choice(
            decision=interpret(thread, printable(answer.content or "")[:THOUGHT], called),
            prompt=sent(self.model, said, offered),
            usage=Usage(
                model=completion.model or self.model,
                prompt_tokens=spent.prompt_tokens if spent else 0,
                completion_tokens=spent.completion_tokens if spent else 0,
                requests=1,
            ),
        )

    async def _complete(self, said: list[dict[str, Any]], offered: list[dict[str, Any]]) -> ChatCompletion:
        messages_, tools_ = json.loads(json.dumps([said, offered]))
        try:
            async with self._client() as client:
                completion = await client.chat.completions.create(
                    model=self.model,
                    messages=messages_,
                    tools=tools_,
                    temperature=omit if self.temperature is None else self.temperature,
                )
        except APIStatusError as error:
            raise self._refused(error) from None
        except APIConnectionError as error:
            raise self._unreachable(f"did not answer ({type(error).__name__})") from None
        except (OpenAIError, json.JSONDecodeError) as error:
            raise self._unreachable(f"sent something unreadable ({type(error).__name__})") from None
        if not isinstance(completion, ChatCompletion) or not completion.choices:
            raise self._unreachable("sent an answer without choices")
        return completion

    def _client(self) -> AsyncOpenAI:
        return AsyncOpenAI(
            api_key=self._key or "none",
            base_url=self._url or None,
            max_retries=self._retries,
            timeout=self._timeout,
        )

    def _refused(self, error: APIStatusError) -> MaieuticError:
        status = error.status_code
        if status in TRY_AGAIN or status >= 500:
            return self._unreachable(f"answered {status}, also after waiting")
        if status in (401, 403):
            return UserError(
                f"`{self._place}` refused the key ({status})",
                kind="endpoint-key",
                hint="check OPENAI_API_KEY",
            )
        if status == 404:
            return UserError(
                f"`{self._place}` has no model `{self.model}` (404)",
                kind="endpoint-model",
                hint="check the name after `openai:` and `--base-url`",
            )
        told = error.message.replace(self._key, "…") if self._key else error.message
        return UserError(
            f"`{self._place}` refused the request ({status}): {told[:300]}",
            kind="endpoint-request",
            hint="the model must support tool calls and hold a whole thread in its context",
        )

    def _unreachable(self, what: str) -> MaieuticError:
        return MaieuticError(
            f"`{self._place}` {what}",
            kind="endpoint",
            hint="nothing is lost: resume the run when it answers again",
        )

    @property
    def _place(self) -> str:
        """The endpoint without anything that may be secret."""
        parts = urlsplit(self._url or "https://api.openai.com/v1")
        return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"


def offers(thread: ThreadView, tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """What may be called now: tools and the loop's own steps; at the end only what finishes."""
    if thread.finish_now:
        return [STEPS[name].schema() for name in ("give_verdict", *FINISHING)]
    return [*(tool.schema() for tool in tools), *(step.schema() for step in STEPS.values())]


def interpret(thread: ThreadView, thought: str, called: Sequence[Call]) -> Decision:
    """A decision from tool calls. What can't be understood stays among the calls: acting on it says why."""
    propose: list[Hypothesis] = []
    verdicts: list[Verdict] = []
    calls: list[Call] = []
    final: list[Conclusion | Abstention] = []
    for call in called:
        try:
            part = build(thread, call) if call.tool in STEPS and not call.unreadable else None
        except PlannerError:
            part = None
        match part:
            case Hypothesis():
                propose.append(part)
            case Verdict():
                verdicts.append(part)
            case Conclusion() | Abstention() if not final:
                final.append(part)
            case _:
                calls.append(call)
    if final and not calls and not propose:
        given = {"verdicts": tuple(verdicts)} if isinstance(final[0], Conclusion) else {}
        return final[0].model_copy(update={"thought": thought, **given})
    early = [call for call in called if call.tool in FINISHING and call not in calls]
    return Calls(thought=thought, propose=tuple(propose), verdicts=tuple(verdicts), calls=(*calls, *early))


def readable(name: str, arguments: str) -> Call:
    """A model's call; arguments that are no JSON object, or no text, are kept as they came."""
    try:
        parsed = json.loads(arguments or "{}")
        json.dumps(parsed, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        parsed = None
    if isinstance(parsed, dict):
        return Call(tool=printable(name), arguments=parsed)
    return Call(tool=printable(name), unreadable=printable(arguments)[:500])


def printable(text: str) -> str:
    """The text without halves of characters, which JSON allows and files do not."""
    return text.encode("utf-8", "replace").decode()


def sent(model: str, said: list[dict[str, Any]], offered: list[dict[str, Any]]) -> str:
    """What the model was sent, for the record; the tools' definitions by name and hash."""
    digest = hashlib.sha256(json.dumps(offered, sort_keys=True).encode()).hexdigest()
    names = [offer["function"]["name"] for offer in offered]
    whole = {"model": model, "messages": said, "tools": names, "tools_sha256": digest}
    return json.dumps(whole, ensure_ascii=False, indent=1)
