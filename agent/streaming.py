"""An answer as it comes: pieces of words and of tool calls, put together; or whole, from a server that does not stream.

Knows the two forms in which OpenAI-compatible servers answer, and where they differ from one another. Knows nothing
about what is said.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from openai import APIConnectionError, AsyncStream
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from agent.planner import Usage

STREAM = "text/event-stream"
THINKING = ("reasoning_content", "reasoning")
"""Fields in which servers send what a model thinks before it speaks."""


class BrokenOff(Exception):
    """An answer that began and did not come to its end."""


@dataclass
class Called:
    """A tool call as far as it has come."""

    mark: str = ""
    name: str = ""
    arguments: str = ""


@dataclass
class Answer:
    """What a model said: `content` to us, `thinking` to itself, and calls. `tokens` are prompt, completion and cached
    ones as the endpoint told them, None where it told nothing."""

    content: str = ""
    thinking: str = ""
    calls: list[Called] = field(default_factory=list)
    model: str = ""
    tokens: tuple[int, int, int] | None = None
    usage: Usage = field(default_factory=Usage)

    @property
    def said(self) -> str:
        return self.content or self.thinking

    @property
    def size(self) -> int:
        """Characters of all of it."""
        return (
            len(self.content) + len(self.thinking) + sum(len(one.name + one.arguments) for one in self.calls)
        )

    def with_usage(self, usage: Usage) -> Answer:
        return replace(self, usage=usage)


async def heard(
    answer: AsyncStream[ChatCompletionChunk] | ChatCompletion, hear: Callable[[str], None]
) -> Answer | None:
    """The whole answer, told to `hear` while it comes; None for one without choices.

    Raises BrokenOff when the connection fails on the way, ValueError for what can't be read.
    """
    if isinstance(answer, ChatCompletion):
        return _whole(answer)
    if not isinstance(answer, AsyncStream):
        raise ValueError("neither a stream nor a completion")
    if STREAM not in answer.response.headers.get("content-type", ""):
        return _whole(await _at_once(answer))
    found, begun = Answer(), False
    try:
        async for chunk in answer:
            found.model = getattr(chunk, "model", "") or found.model
            found.tokens = _tokens(chunk) or found.tokens
            for choice in (getattr(chunk, "choices", None) or ())[:1]:
                begun = True
                _add(found, choice.delta)
                hear(found.said)
    except APIConnectionError as error:
        raise BrokenOff(type(error).__name__) from error
    return found if begun else None


async def _at_once(answer: AsyncStream[ChatCompletionChunk]) -> ChatCompletion:
    """From a server that was asked for a stream and sends one JSON object."""
    try:
        body = await answer.response.aread()
    except Exception as error:  # whatever the transport raises here, it is the transport's
        raise BrokenOff(type(error).__name__) from error
    told = json.loads(body)
    if not isinstance(told, dict):
        raise ValueError("not an object")
    return ChatCompletion.construct(**told)


def _add(found: Answer, delta: Any) -> None:
    """Puts one piece where it belongs."""
    found.content += getattr(delta, "content", None) or ""
    found.thinking += _thinking(delta)
    for piece in getattr(delta, "tool_calls", None) or ():
        place = piece.index if isinstance(piece.index, int) else len(found.calls)
        if place < len(found.calls) and piece.id and found.calls[place].mark not in ("", piece.id):
            place = len(found.calls)  # some servers number every call 0 and tell them apart by their ids
        while place >= len(found.calls):
            found.calls.append(Called())
        call = found.calls[place]
        call.mark = piece.id or call.mark
        call.name += (piece.function.name if piece.function else None) or ""
        call.arguments += (piece.function.arguments if piece.function else None) or ""


def _whole(completion: ChatCompletion) -> Answer | None:
    """From an answer that came at once."""
    choices = getattr(completion, "choices", None)
    if not choices:
        return None
    message = getattr(choices[0], "message", None)
    if message is None:
        raise ValueError("a choice without a message")
    return Answer(
        content=getattr(message, "content", None) or "",
        thinking=_thinking(message),
        calls=[
            Called(call.id, call.function.name, call.function.arguments)
            for call in getattr(message, "tool_calls", None) or ()
            if call.type == "function"
        ],
        model=getattr(completion, "model", "") or "",
        tokens=_tokens(completion),
    )


def _thinking(told: Any) -> str:
    return next((str(words) for name in THINKING if (words := getattr(told, name, None))), "")


def _tokens(told: Any) -> tuple[int, int, int] | None:
    """Prompt, completion and cached tokens; None where there are none."""
    usage = getattr(told, "usage", None)
    prompt, completion = (getattr(usage, f"{name}_tokens", None) or 0 for name in ("prompt", "completion"))
    details = getattr(usage, "prompt_tokens_details", None)
    cached = getattr(details, "cached_tokens", None) or 0
    return (prompt, completion, cached) if prompt or completion else None
