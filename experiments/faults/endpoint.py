"""What a language model's endpoint can do wrong, as answers of a real server on loopback.

Each fault meets the second component of a run from its second request on: once, or as long as the first life lasts.
Knows wires and messages; what becomes of a run is trial.py's to see.
"""

from __future__ import annotations

import email.utils
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from experiments.faults.model import accepted, labels, says, studied
from experiments.faults.server import Body, Break, Endpoint, Message, Wire, events, serving, trickle
from experiments.faults.trial import HIT, RETRIES, SECONDS

LATE = 4 * SECONDS
"""Seconds after which nobody waits any more."""
HUGE = 3_000_000
"""Characters of arguments that are too many."""
MANY = 400
"""Calls of one turn that are too many."""


@dataclass(frozen=True)
class EndpointFault:
    """`times` is how often it is met in the first life; None: always. `elsewhere` gives an address in place of the
    server's own; `abstains` says that the component ends without words, since that is what the model decided."""

    name: str
    injected: str
    spoil: Break | None = None
    times: int | None = None
    elsewhere: Callable[[], Any] | None = None
    retries: int = RETRIES
    abstains: bool = False


def met(body: Body, before: int) -> bool:
    """Whether a request is about the component that faults meet, and not its first."""
    return studied(body) == HIT and (before > 0 or bool(accepted(body)))


def status(code: int, said: str, **headers: str) -> Break:
    """An error with these words."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda wire, _: wire.json({"error": {"message": said}}, code, named)


def after_a_date(wire: Wire, _: Message) -> None:
    """429, to be asked again in two seconds by the calendar."""
    date = email.utils.formatdate(time.time() + 2, usegmt=True)
    wire.json({"error": {"message": "slow down"}}, 429, {"Retry-After": date})


def silent(wire: Wire, message: Message) -> None:
    """Nothing, until nobody waits any more."""
    time.sleep(LATE)
    wire.hang_up()


def stalled(wire: Wire, message: Message) -> None:
    """The beginning of an answer, and then nothing."""
    wire.begin_stream()
    wire.piece(events(message)[0])
    time.sleep(LATE)
    wire.hang_up()


def cut_off(wire: Wire, message: Message) -> None:
    """Half an answer, and the connection is reset."""
    wire.begin_stream()
    whole = events(message)
    for event in whole[: len(whole) // 2]:
        wire.piece(event)
    wire.hang_up()


def endless(wire: Wire, _: Message) -> None:
    trickle(wire, 60 * SECONDS)


def error_inside(wire: Wire, message: Message) -> None:
    """A stream that breaks with an error of the server's own."""
    wire.begin_stream()
    wire.piece(events(message)[0])
    wire.piece(json.dumps({"error": {"message": "CUDA out of memory", "code": 500}}))
    wire.wfile.write(b"0\r\n\r\n")


def instead(message: Message) -> Break:
    """Another message than the model's."""
    return lambda wire, _: wire.whole(message)


def spoken_of(make: Callable[[str], Message]) -> Break:
    """Another message, about the component in question."""
    return lambda wire, _: wire.whole(make(studied(wire.body)))


def chunk(delta: Any) -> Break:
    """A stream of one piece that is none."""

    def spoil(wire: Wire, _: Message) -> None:
        wire.begin_stream()
        wire.piece(json.dumps({"id": "c", "choices": [{"index": 0, "delta": delta}]}))
        wire.piece("[DONE]")
        wire.wfile.write(b"0\r\n\r\n")

    return spoil


def raw(data: bytes) -> Break:
    """Bytes that are no HTTP."""

    def spoil(wire: Wire, _: Message) -> None:
        wire.wfile.write(data)
        wire.wfile.flush()
        wire.close_connection = True

    return spoil


def page(wire: Wire, _: Message) -> None:
    """What a hotel's network says to everything."""
    wire.text("<html><body>Please log in</body></html>", 200, {"Content-Type": "text/html"})


def sent_on(there: Endpoint) -> Break:
    """To another address, with the request and all that is in it."""
    return lambda wire, _: wire.text("", 307, {"Location": f"{there.url}/chat/completions"})


@contextmanager
def unanswering() -> Iterator[str]:
    """An address at which nobody takes the connection: its queue is full."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(held.getsockname())
        try:
            yield f"http://127.0.0.1:{held.getsockname()[1]}/v1"
        finally:
            for one in waiting:
                one.close()


@contextmanager
def gone() -> Iterator[str]:
    """An address at which nobody is any more."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def another_host() -> Iterator[Endpoint]:
    """Where a redirect points: whatever comes there has been carried too far."""
    with serving(labels) as endpoint:
        yield endpoint


NESTED = '{"component": ' + "[" * 900 + "]" * 900 + "}"
FAULTS: tuple[EndpointFault, ...] = (
    EndpointFault(
        "429, retry-after in seconds",
        "one 429 with `Retry-After: 1`",
        status(429, "slow down", Retry_After="1"),
        1,
    ),
    EndpointFault("429, retry-after as a date", "one 429 with an HTTP date 2 s ahead", after_a_date, 1),
    EndpointFault(
        "429, retry-after of an hour",
        "429 with `Retry-After: 3600`, always",
        status(429, "quota", Retry_After="3600"),
    ),
    EndpointFault("503 once", "one 503", status(503, "busy"), 1),
    EndpointFault("500 for good", "500, always", status(500, "internal error")),
    EndpointFault("time-out: connect", "a listening socket whose queue is full", elsewhere=unanswering),
    EndpointFault("time-out: first byte", "nothing is sent, always", silent),
    EndpointFault("time-out: mid-stream, once", "one piece, then silence", stalled, 1),
    EndpointFault("time-out: mid-stream, for good", "one piece, then silence, always", stalled),
    EndpointFault("an answer without end", "a piece now and then, for ever", endless, retries=0),
    EndpointFault("a cut stream, once", "half an answer, then a reset", cut_off, 1),
    EndpointFault("a cut stream, for good", "half an answer, then a reset, always", cut_off),
    EndpointFault("an error inside a stream", "one piece, then an error as an event, always", error_inside),
    EndpointFault(
        "a refusal, once",
        "a message with `refusal` and nothing else",
        instead({"refusal": "I can't help with that."}),
        1,
    ),
    EndpointFault(
        "a refusal, always",
        "the same, always",
        instead({"refusal": "I can't help with that."}),
        abstains=True,
    ),
    EndpointFault("empty content", "a message with neither words nor calls", instead({"content": None}), 1),
    EndpointFault(
        "invalid JSON in arguments",
        'arguments `{"component": `',
        instead(says(("activations", '{"component": '))),
        1,
    ),
    EndpointFault(
        "deeply nested arguments", "900 lists in each other", instead(says(("activations", NESTED))), 1
    ),
    EndpointFault("an unknown tool", "a call of `rm_rf`", instead(says(("rm_rf", {"path": "/"}))), 1),
    EndpointFault(
        "wrong types",
        "numbers for words, words for numbers",
        instead(says(("activations", {"component": 7, "concept": ["heart"], "n": "many"}))),
        1,
    ),
    EndpointFault(
        "huge arguments",
        f"{HUGE:,} characters in one argument",
        spoken_of(lambda name: says(("activations", {"component": name, "concept": "x" * HUGE}))),
        1,
    ),
    EndpointFault(
        "hundreds of calls at once",
        f"{MANY} calls of `describe`",
        spoken_of(lambda name: says(*[("describe", {"component": name, "n": 20})] * MANY)),
        1,
    ),
    EndpointFault(
        "context overflow, once",
        "one 400 that names the context length",
        status(400, "This model's maximum context length is 4096 tokens"),
        1,
    ),
    EndpointFault(
        "context overflow, for good",
        "the same, always",
        status(400, "This model's maximum context length is 4096 tokens"),
    ),
    EndpointFault(
        "a filter refuses one component",
        "400 `content_filter`, always",
        status(400, "content_filter: this prompt was blocked"),
    ),
    EndpointFault("a key that is withdrawn", "401, always", status(401, "key revoked")),
    EndpointFault("a server gone for good", "a port at which nobody listens", elsewhere=gone),
    EndpointFault("garbage that isn't HTTP", "an SSH greeting", raw(b"SSH-2.0-OpenSSH_9.9\r\n")),
    EndpointFault("a page in place of an answer", "200 with HTML", page),
    EndpointFault("a stream of something else", "a piece whose delta is a number", chunk(7)),
    EndpointFault(
        "calls of impossible numbers",
        "a call with index 1,000,000,000",
        chunk({"tool_calls": [{"index": 10**9, "id": "a", "function": {"name": "x", "arguments": "{}"}}]}),
    ),
)
REDIRECT = EndpointFault("a redirect to another host", "307 to another port, always")
