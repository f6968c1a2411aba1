"""What an images endpoint answers with, as a picture: base64 in the answer itself, or an address to fetch it from.

Knows which addresses may be followed: those of the endpoint's own server, and https at servers that the user has named.
An answer is somebody else's words, so nothing else is ever opened, no redirect is followed, no key is sent along, and
what comes is held to the limits for pictures from outside (tools/images.py). Knows nothing about edits.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.error import URLError
from urllib.parse import SplitResult, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from PIL import Image

from store.errors import UserError
from tools.editing.backend import Failed
from tools.images import MAX_BYTES, decode_image


class _Stay(HTTPRedirectHandler):
    """Follows no redirect: where it leads to was not checked."""

    def redirect_request(self, *told: Any) -> None:
        return None


@dataclass(frozen=True)
class Answers:
    """Reads the answers of the endpoint at `base_url`; `hosts` are servers that https pictures may be fetched from.

    `timeout` is in seconds.
    """

    base_url: str
    hosts: Sequence[str] = ()
    timeout: float = 120.0

    def picture(self, answer: Any) -> Image.Image | Failed:
        """The first picture of an answer of the `openai` client. Blocks while it is fetched."""
        listed = getattr(answer, "data", None)
        first = listed[0] if isinstance(listed, list) and listed else None
        text, url = (getattr(first, name, None) for name in ("b64_json", "url"))
        if isinstance(text, str) and text:
            data = _decoded(text)
        elif isinstance(url, str) and url:
            data = self._fetched(url)
        else:
            return Failed("broken", "the endpoint's answer holds no picture")
        if isinstance(data, Failed):
            return data
        try:
            return decode_image(data, "the answer")
        except UserError as error:
            return Failed("broken", f"the endpoint sent no usable picture: {error.message}")

    def _fetched(self, url: str) -> bytes | Failed:
        try:
            parts = urlsplit(url)
            allowed = self._allowed(parts)
        except ValueError:
            return Failed("broken", "the endpoint answered with something that is no address")
        if not allowed:
            return Failed(
                "endpoint",
                f"the endpoint answered with a picture at `{parts.scheme}://{parts.hostname}`, which is not fetched: "
                "allow the server by name, or use a model that sends the picture itself",
            )
        request = Request(url, headers={"User-Agent": "maieutic"})
        try:
            with build_opener(_Stay).open(request, timeout=self.timeout) as reply:
                data: bytes = reply.read(MAX_BYTES + 1)
        except (URLError, OSError, ValueError) as error:
            return Failed("endpoint", f"the picture at `{parts.hostname}` could not be fetched ({error})")
        if len(data) > MAX_BYTES:
            return Failed(
                "broken", f"the picture at `{parts.hostname}` is larger than {MAX_BYTES // 2**20} MiB"
            )
        return data

    def _allowed(self, parts: SplitResult) -> bool:
        own = urlsplit(self.base_url)
        if (parts.scheme, parts.hostname, parts.port) == (own.scheme, own.hostname, own.port):
            return own.scheme in ("http", "https")
        return parts.scheme == "https" and parts.hostname in self.hosts


def _decoded(text: str) -> bytes | Failed:
    if len(text) > MAX_BYTES * 4 // 3 + 4:
        return Failed("broken", f"the picture in the answer is larger than {MAX_BYTES // 2**20} MiB")
    try:
        return base64.b64decode(text.rpartition("base64,")[2], validate=True)
    except (binascii.Error, ValueError):
        return Failed("broken", "the picture in the endpoint's answer is broken (no base64)")
