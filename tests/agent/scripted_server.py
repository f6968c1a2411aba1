"""An OpenAI-compatible endpoint on loopback that answers from a script: real HTTP, threads, no model.

Each line of the script answers one request: a Reply, or a function from the request's body to one. Where a stream is
asked for, a completion is sent in pieces, as real servers send it.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from experiments.faults.server import Body, Wire, completion, events, listening

__all__ = ["Body", "Endpoint", "Line", "Reply", "says", "serving"]


@dataclass(frozen=True)
class Reply:
    """What goes back: a status, a body as JSON or as it is, after `delay` seconds.

    `streams` says whether the server can send it in pieces, `breaks` that the connection is lost on the way.
    """

    body: dict[str, Any] | str
    status: int = 200
    delay: float = 0.0
    streams: bool = True
    breaks: bool = False

    def pieces(self, told_usage: bool) -> list[str]:
        """The completion as the events of a stream."""
        assert isinstance(self.body, dict)
        message = self.body["choices"][0]["message"]
        return events(message, self.body.get("usage") if told_usage else None)


Line = Reply | Callable[[Body], Reply]


@dataclass
class Endpoint:
    """`url` is what `--base-url` takes; `requests` are the bodies that came, `keys` what stood in Authorization."""

    script: Sequence[Line]
    url: str = ""
    requests: list[Body] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, body: Body, key: str) -> Reply:
        with self.lock:
            self.requests.append(body)
            self.keys.append(key)
            place = len(self.requests) - 1
        line = self.script[min(place, len(self.script) - 1)]
        return line if isinstance(line, Reply) else line(body)


def says(*calls: tuple[str, dict[str, Any] | str], content: str = "", tokens: int = 110) -> Reply:
    """An answer with tool calls; arguments given as a string are sent as they are. `tokens` are what it cost."""
    called = [
        {
            "id": f"call_{place}",
            "type": "function",
            "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given)},
        }
        for place, (name, given) in enumerate(calls)
    ]
    message: dict[str, Any] = {"role": "assistant", "content": content or None}
    if called:
        message["tool_calls"] = called
    usage = {"prompt_tokens": tokens - 10, "completion_tokens": 10, "total_tokens": tokens}
    return Reply(completion(message, "tool_calls" if called else "stop", usage))


@contextmanager
def serving(*script: Line) -> Iterator[Endpoint]:
    """The endpoint, up until the block is left. The last line of the script answers whatever comes after it."""
    endpoint = Endpoint(script)

    class Handler(Wire):
        def posted(self, data: bytes) -> None:
            body = json.loads(data)
            reply = endpoint.answer(body, self.headers.get("Authorization", ""))
            time.sleep(reply.delay)
            whole = isinstance(reply.body, dict) and bool(reply.body.get("choices"))
            if body.get("stream") and whole and reply.streams:
                self.send_stream(reply, bool(body.get("stream_options", {}).get("include_usage")))
                return
            told = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
            self.text(told, reply.status, {"Content-Type": "application/json"})

        def send_stream(self, reply: Reply, told_usage: bool) -> None:
            pieces = reply.pieces(told_usage)
            self.begin_stream()
            for piece in pieces[: len(pieces) // 2] if reply.breaks else pieces:
                self.piece(piece)
            if reply.breaks:
                self.close_connection = True
            else:
                self.end_stream()

    with listening(Handler) as address:
        endpoint.url = f"{address}/v1"
        yield endpoint
