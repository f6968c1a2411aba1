"""An OpenAI-compatible endpoint on loopback that answers from a script: real HTTP, threads, no model.

Each line of the script answers one request: a Reply, or a function from the request's body to one.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """What goes back: a status, a body as JSON or as it is, after `delay` seconds."""

    body: dict[str, Any] | str
    status: int = 200
    delay: float = 0.0


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


def says(*calls: tuple[str, dict[str, Any] | str], content: str = "") -> Reply:
    """An answer with tool calls; arguments given as a string are sent as they are."""
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
            "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
        }
    )


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
            told = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
            data = told.encode()
            try:
                self.send_response(reply.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the client's patience was shorter than the delay

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
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
