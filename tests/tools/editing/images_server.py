"""An images endpoint on loopback that answers from a script: real HTTP, multipart and all, no model.

Each line of the script answers one request; the last one answers whatever comes after it. `paints` is the line that
does what is asked for: it halves the page's contrast and brightens it by an amount that hangs on the words.
"""

from __future__ import annotations

import base64
import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from experiments.faults.server import Wire, listening


@dataclass(frozen=True)
class Asked:
    """What came: the path, the fields (of JSON or of a form), the files of a form, and the key."""

    path: str
    fields: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)
    key: str = ""

    def picture(self, name: str = "image") -> Image.Image:
        return Image.open(BytesIO(self.files[name]))


@dataclass(frozen=True)
class Reply:
    """What goes back after `delay` seconds: JSON, or bytes as they are."""

    body: dict[str, Any] | bytes
    status: int = 200
    delay: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


Line = Reply | Callable[[Asked], Reply]


@dataclass
class Server:
    """`url` is what `--base-url` takes; `files` are what GET finds, by path."""

    script: Sequence[Line]
    url: str = ""
    requests: list[Asked] = field(default_factory=list)
    fetched: list[tuple[str, str]] = field(default_factory=list)
    files: dict[str, Reply] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, asked: Asked) -> Reply:
        with self.lock:
            self.requests.append(asked)
            line = self.script[min(len(self.requests), len(self.script)) - 1]
        return line if isinstance(line, Reply) else line(asked)


def shows(image: Image.Image, *, usage: tuple[int, int] | None = None, delay: float = 0.0) -> Reply:
    """An answer that holds the picture itself; `usage` are the tokens that went in and out."""
    buffer = BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return holds({"b64_json": base64.b64encode(buffer.getvalue()).decode()}, usage=usage, delay=delay)


def holds(data: dict[str, Any], *, usage: tuple[int, int] | None = None, delay: float = 0.0) -> Reply:
    """An answer with one datum."""
    told: dict[str, Any] = {"created": 0, "data": [data]}
    if usage:
        details = {"image_tokens": 0, "text_tokens": usage[0]}
        told["usage"] = {
            "input_tokens": usage[0],
            "output_tokens": usage[1],
            "total_tokens": sum(usage),
            "input_tokens_details": details,
        }
    return Reply(told, delay=delay)


def refuses(status: int, message: str, delay: float = 0.0) -> Reply:
    return Reply({"error": {"message": message, "type": "error"}}, status, delay)


def painted(asked: Asked) -> Image.Image:
    """The page after the words, of the size that was asked for."""
    width, height = (int(side) for side in asked.fields["size"].split("x"))
    turn = zlib.crc32(asked.fields["prompt"].encode())
    if "image" not in asked.files:
        random = np.random.default_rng(turn)
        return Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8))
    page = np.asarray(asked.picture().convert("RGB").resize((width, height)), dtype=int)
    return Image.fromarray((page // 2 + turn % 100).astype(np.uint8))


def paints(asked: Asked) -> Reply:
    return shows(painted(asked))


@contextmanager
def serving(*script: Line) -> Iterator[Server]:
    """The endpoint, up until the block is left."""
    endpoint = Server(script or (paints,))

    class Handler(Wire):
        def posted(self, data: bytes) -> None:
            self.reply(endpoint.answer(self.read_asked(data)))

        def wanted(self) -> None:
            endpoint.fetched.append((self.path, self.headers.get("Authorization", "")))
            self.reply(endpoint.files.get(self.path, Reply(b"", 404)))

        def read_asked(self, body: bytes) -> Asked:
            kind, key = self.headers["Content-Type"], self.headers.get("Authorization", "")
            if kind.startswith("application/json"):
                return Asked(self.path, json.loads(body), key=key)
            fields: dict[str, Any] = {}
            files: dict[str, bytes] = {}
            for part in message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body).walk():
                name = str(part.get_param("name", header="Content-Disposition"))
                data = part.get_payload(decode=True)
                if isinstance(data, bytes) and part.get_filename():
                    files[name] = data
                elif isinstance(data, bytes):
                    fields[name] = data.decode()
            return Asked(self.path, fields, files, key)

        def reply(self, reply: Reply) -> None:
            time.sleep(reply.delay)
            if isinstance(reply.body, bytes):
                self.send(reply.body, reply.status, {"Content-Type": "image/png"} | reply.headers)
            else:
                self.json(reply.body, reply.status, reply.headers)

    with listening(Handler) as address:
        endpoint.url = f"{address}/v1"
        yield endpoint
