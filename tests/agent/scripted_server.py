"""An OpenAI-compatible endpoint on loopback that answers from a script: real HTTP, threads, no model.

Each line of the script answers one request: a Reply, or a function from the request's body to one. Where a stream is
asked for, a completion is sent in pieces, as real servers send it.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


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
        """The completion as events: the words in halves, then each call in two pieces, then the usage."""
        assert isinstance(self.body, dict)
        message = self.body["choices"][0]["message"]
        words, calls = message["content"] or "", message.get("tool_calls", [])
        half = len(words) // 2
        deltas: list[dict[str, Any]] = [{"content": part} for part in (words[:half], words[half:]) if part]
        for place, call in enumerate(calls):
            given = call["function"]["arguments"]
            named = {"name": call["function"]["name"], "arguments": given[:5]}
            deltas.append(
                {"tool_calls": [{"index": place, "id": call["id"], "type": "function", "function": named}]}
            )
            deltas.append({"tool_calls": [{"index": place, "function": {"arguments": given[5:]}}]})
        head = {name: self.body[name] for name in ("id", "created", "model")} | {
            "object": "chat.completion.chunk"
        }
        events = [
            head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
            for delta in deltas or [{}]
        ]
        if told_usage and self.body.get("usage"):
            events.append(head | {"choices": [], "usage": self.body["usage"]})
        return [f"data: {json.dumps(event)}\n\n" for event in events] + ["data: [DONE]\n\n"]


Body = dict[str, Any]
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
    return Reply(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 0,
            "model": "scripted-1",
            "choices": [
                {"index": 0, "message": message, "finish_reason": "tool_calls" if called else "stop"}
            ],
            "usage": {"prompt_tokens": tokens - 10, "completion_tokens": 10, "total_tokens": tokens},
        }
    )


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has hung up is no mistake of the server's, and nothing to be told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(*script: Line) -> Iterator[Endpoint]:
    """The endpoint, up until the block is left. The last line of the script answers whatever comes after it."""
    endpoint = Endpoint(script)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:  # the name that http.server calls
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            reply = endpoint.answer(body, self.headers.get("Authorization", ""))
            time.sleep(reply.delay)
            whole = isinstance(reply.body, dict) and bool(reply.body.get("choices"))
            try:
                if body.get("stream") and whole and reply.streams:
                    self.send_stream(reply, bool(body.get("stream_options", {}).get("include_usage")))
                    return
                told = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
                data = told.encode()
                self.send_response(reply.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the client's patience was shorter than the delay

        def send_stream(self, reply: Reply, told_usage: bool) -> None:
            self.send_response(reply.status)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            pieces = reply.pieces(told_usage)
            for piece in pieces[: len(pieces) // 2] if reply.breaks else pieces:
                data = piece.encode()
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            if reply.breaks:
                self.close_connection = True
            else:
                self.wfile.write(b"0\r\n\r\n")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    endpoint.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
