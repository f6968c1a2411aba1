"""Servers on loopback, and a language model's endpoint that keeps to a script until a fault is due: real HTTP.

Knows how to listen, how to answer as OpenAI-compatible servers do, and how a connection goes wrong; knows nothing about
which fault belongs where (endpoint.py) or what the model says (model.py). The tests' own servers are made of it too.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]
Message = dict[str, Any]
Break = Callable[["Wire", Message], None]
"""Answers a request in some wrong way, given what the model would have said."""
CRUMB = 0.05
"""Seconds between two pieces of an answer that trickles."""
USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
"""What an answer cost, unless somebody says otherwise."""


class Wire(BaseHTTPRequestHandler):
    """One connection: whole answers, and every way to spoil one."""

    protocol_version = "HTTP/1.1"
    body: Body

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True  # the client has hung up

    def do_POST(self) -> None:  # the name that http.server calls
        self.posted(self.rfile.read(int(self.headers["Content-Length"])))

    def do_GET(self) -> None:
        self.wanted()

    def posted(self, data: bytes) -> None:
        """Answers a request that came with data."""
        self.send(b"", 501)

    def wanted(self) -> None:
        """Answers a request for what lies at a path."""
        self.send(b"", 404)

    def whole(self, message: Message) -> None:
        """The answer as it should be: in pieces where a stream was asked for."""
        if not self.body.get("stream"):
            self.json(completion(message))
            return
        self.begin_stream()
        for event in events(message):
            self.piece(event)
        self.end_stream()

    def json(self, told: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.text(json.dumps(told), status, {"Content-Type": "application/json"} | dict(headers or {}))

    def text(self, told: str, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.send(told.encode(), status, headers)

    def send(self, data: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def piece(self, event: str) -> None:
        data = f"data: {event}\n\n".encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def end_stream(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def hang_up(self) -> None:
        """The connection is reset, not closed in order."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


@dataclass
class Endpoint:
    """`url` is what `--base-url` takes. `fault` spoils answers to requests that `met` picks, given how many were spoilt
    before, `times` of them (None: all), until `heal`; `asked` counts requests, `hit` those that were spoilt."""

    model: Callable[[Body], Message]
    url: str = ""
    fault: Break | None = None
    met: Callable[[Body, int], bool] = lambda _, __: True
    times: int | None = None
    asked: int = 0
    hit: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def due(self, body: Body) -> Break | None:
        """The fault that this request meets, if any."""
        with self.lock:
            self.asked += 1
            over = self.times is not None and self.hit >= self.times
            if self.fault is None or over or not self.met(body, self.hit):
                return None
            self.hit += 1
            return self.fault

    def heal(self) -> None:
        self.fault = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has hung up is no mistake of the server's, and nothing to be told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def listening(handler: type[Wire]) -> Iterator[str]:
    """The server's address, under which requests are handled until the block is left."""
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serving(model: Callable[[Body], Message]) -> Iterator[Endpoint]:
    """The endpoint, up until the block is left."""
    endpoint = Endpoint(model)

    class Spoilt(Wire):
        def posted(self, data: bytes) -> None:
            self.body = json.loads(data)
            message = endpoint.model(self.body)
            (endpoint.due(self.body) or Wire.whole)(self, message)

    with listening(Spoilt) as address:
        endpoint.url = f"{address}/v1"
        yield endpoint


def completion(message: Message, finish: str = "stop", usage: Body = USAGE) -> Body:
    """A whole answer."""
    return _head("chat.completion") | {
        "choices": [{"index": 0, "message": {"role": "assistant"} | message, "finish_reason": finish}],
        "usage": usage,
    }


def events(message: Message, usage: Body | None = USAGE) -> list[str]:
    """A whole answer in pieces, as they go over the wire: words in halves, each call in two, then the usage if any."""
    words = str(message.get("content") or "")
    half = len(words) // 2
    deltas: list[Body] = [{"content": part} for part in (words[:half], words[half:]) if part]
    deltas += [{"refusal": message["refusal"]}] if "refusal" in message else []
    for place, call in enumerate(message.get("tool_calls", [])):
        given = call["function"]["arguments"]
        name = {"name": call["function"]["name"], "arguments": given[:5]}
        deltas.append(
            {"tool_calls": [{"index": place, "id": call["id"], "type": "function", "function": name}]}
        )
        deltas.append({"tool_calls": [{"index": place, "function": {"arguments": given[5:]}}]})
    head = _head("chat.completion.chunk")
    told = [head | {"choices": [{"index": 0, "delta": one, "finish_reason": None}]} for one in deltas or [{}]]
    told += [head | {"choices": [], "usage": usage}] if usage else []
    return [*map(json.dumps, told), "[DONE]"]


def trickle(wire: Wire, seconds: float) -> None:
    """A crumb now and then, so that the connection is never silent, and never an end."""
    until = time.monotonic() + seconds
    wire.begin_stream()
    while time.monotonic() < until:
        wire.piece(events({"content": "…"})[0])
        time.sleep(CRUMB)
    wire.hang_up()


def _head(kind: str) -> Body:
    return {"id": "chatcmpl-1", "object": kind, "created": 0, "model": "scripted-1"}
