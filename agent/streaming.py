"""An answer as it comes: pieces of words and of tool calls, put together; or whole, from a server that does not stream.

Knows the two forms in which OpenAI-compatible servers answer, and where they differ from one another. Knows nothing
about what is said.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from openai import APIConnectionError, AsyncStream, BaseModel
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from agent.planner import Usage

STREAM = "text/event-stream"
LONGEST = 500_000
"""Characters of an answer after which no more of it is read: what has come by then is taken as it is."""
LARGEST = 20_000_000
"""Bytes of an answer that comes as one object, at most."""
MOST = 1000
"""Calls of one answer, at most."""
THINKING = ("reasoning_content", "reasoning")
"""Fields in which servers send what a model thinks before it speaks."""


@dataclass
class Called:
    """A tool call as far as it has come."""

    mark: str = ""
    name: str = ""
    arguments: str = ""


@dataclass
class Answer:
    """What a model said: `content` to us, `thinking` to itself, a `refusal` in the field for it, and calls. `tokens`
    are prompt, completion and cached ones as the endpoint told them, None where it told nothing."""

    content: str = ""
    thinking: str = ""
    refusal: str = ""
    calls: list[Called] = field(default_factory=list)
    model: str = ""
    tokens: tuple[int, int, int] | None = None
    usage: Usage = field(default_factory=Usage)

    @property
    def said(self) -> str:
        return self.content or self.refusal or self.thinking

    @property
    def size(self) -> int:
        """Characters of all of it."""
        return (
            len(self.content)
            + len(self.refusal)
            + len(self.thinking)
            + sum(len(one.name) + len(one.arguments) for one in self.calls)
        )

    def with_usage(self, usage: Usage) -> Answer:
        return replace(self, usage=usage)


class BrokenOff(Exception):
    """An answer that began and did not come to its end."""


async def heard(
    answer: AsyncStream[ChatCompletionChunk] | ChatCompletion, hear: Callable[[str], None], found: Answer
) -> Answer | None:
    """The whole answer, told to `hear` while it comes; None for one without choices.

    `found` is filled with what comes, so that it is known whatever happens on the way. Raises BrokenOff when the
    connection fails, ValueError for what can't be read.
    """
    if isinstance(answer, ChatCompletion):
        return _whole(answer, found)
    if not isinstance(answer, AsyncStream):
        raise ValueError("neither a stream nor a completion")
    if STREAM not in answer.response.headers.get("content-type", ""):
        return _whole(await _at_once(answer, found), found)
    begun = False
    try:
        async for chunk in answer:
            _price(found, chunk)
            for choice in _list(chunk, "choices")[:1]:
                begun = True
                _add(found, getattr(choice, "delta", None))
                hear(found.said)
            if found.size > LONGEST:
                await answer.close()
                break
    except APIConnectionError as error:
        raise BrokenOff(type(error).__name__) from error
    return found if begun else None


async def _at_once(answer: AsyncStream[ChatCompletionChunk], found: Answer) -> ChatCompletion:
    """From a server that was asked for a stream and sends one JSON object; one that did not come to its end, also since
    nobody waited any longer, leaves in `found` what has come of it."""
    body, whole = bytearray(), False
    try:
        async for piece in answer.response.aiter_bytes():
            body += piece
            if len(body) > LARGEST:
                break
        else:
            whole = True
    except Exception as error:  # whatever the transport raises here, it is the transport's
        raise BrokenOff(type(error).__name__) from error
    finally:
        if not whole:
            found.content = body.decode(errors="replace")
    told = json.loads(body)
    if not isinstance(told, dict):
        raise ValueError("not an object")
    return ChatCompletion.construct(**told)


def _add(found: Answer, delta: Any) -> None:
    """Puts one piece where it belongs. Raises ValueError for what is no piece."""
    if not isinstance(delta, BaseModel | None):
        raise ValueError("a piece of nothing")
    found.content += _text(delta, "content")
    found.refusal += _text(delta, "refusal")
    found.thinking += _thinking(delta)
    for piece in _list(delta, "tool_calls"):
        mark, index = _text(piece, "id"), getattr(piece, "index", None)
        place = index if isinstance(index, int) else len(found.calls)
        if not 0 <= place < MOST:
            raise ValueError("a call of no number")
        if place < len(found.calls) and mark and found.calls[place].mark not in ("", mark):
            place = len(found.calls)  # some servers number every call 0 and tell them apart by their ids
        while place >= len(found.calls):
            found.calls.append(Called())
        call, function = found.calls[place], getattr(piece, "function", None)
        call.mark = mark or call.mark
        call.name += _text(function, "name")
        call.arguments += _text(function, "arguments")


def _whole(completion: ChatCompletion, found: Answer) -> Answer | None:
    """From an answer that came at once. Raises ValueError for what is none."""
    _price(found, completion)
    choices = _list(completion, "choices")
    if not choices:
        return None
    message = getattr(choices[0], "message", None)
    if message is None:
        raise ValueError("a choice without a message")
    found.content = _text(message, "content")
    found.thinking = _thinking(message)
    found.refusal = _text(message, "refusal")
    functions = [
        (_text(call, "id"), getattr(call, "function", None)) for call in _list(message, "tool_calls")
    ]
    found.calls = [
        Called(mark, _text(function, "name"), _text(function, "arguments"))
        for mark, function in functions[:MOST]
        if function is not None
    ]
    return found


def _price(found: Answer, told: Any) -> None:
    """Takes what an answer costs from it, before anything else in it may turn out to be unreadable."""
    found.tokens = _tokens(told) or found.tokens
    found.model = _text(told, "model") or found.model


def _text(told: Any, name: str) -> str:
    """A field of words, empty where there is none. Raises ValueError for one that is something else."""
    value = getattr(told, name, None)
    if not isinstance(value, str | None):
        raise ValueError(f"`{name}` is no text")
    return value or ""


def _list(told: Any, name: str) -> list[Any]:
    """A field of several. Raises ValueError for one that is something else."""
    value = getattr(told, name, None)
    if not isinstance(value, list | None):
        raise ValueError(f"`{name}` is no list")
    return value or []


def _thinking(told: Any) -> str:
    return next((str(words) for name in THINKING if (words := getattr(told, name, None))), "")


def _tokens(told: Any) -> tuple[int, int, int] | None:
    """Prompt, completion and cached tokens; None where there are none."""
    usage = getattr(told, "usage", None)
    prompt, completion = (_count(usage, f"{name}_tokens") for name in ("prompt", "completion"))
    cached = _count(getattr(usage, "prompt_tokens_details", None), "cached_tokens")
    return (prompt, completion, cached) if prompt or completion else None


def _count(told: Any, name: str) -> int:
    """A number of tokens; 0 where there is none that could be one."""
    value = getattr(told, name, None)
    return value if isinstance(value, int) and value > 0 else 0
