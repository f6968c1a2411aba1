"""Pictures as a language model is shown them: small, inside the message, and only those that it asked to see.

In the record a picture stands in a message by its hash (`artifact:…`); here it becomes its pixels. Knows nothing about
which pictures were asked for (transcript.py).
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from io import BytesIO
from typing import Any

from PIL import Image

from tools.images import decode_image

SIDE = 384
"""Pixels of the longer side, at most."""
ARTIFACT = "artifact:"
Fetch = Callable[[str], bytes]
"""The bytes of an artifact, by its hash."""


def picture(sha: str) -> dict[str, Any]:
    """The part of a message that shows an artifact, not yet fetched."""
    return {"type": "image_url", "image_url": {"url": ARTIFACT + sha, "detail": "low"}}


def seen(messages: list[dict[str, Any]], fetch: Fetch | None) -> list[dict[str, Any]]:
    """The messages with their pictures; without `fetch` a word stands in the place of each."""
    return [
        message | {"content": [_shown(part, fetch) for part in message["content"]]}
        if isinstance(message.get("content"), list)
        else message
        for message in messages
    ]


def data_url(image: Image.Image) -> str:
    """The picture, scaled down where it is large, as a `data:` URL."""
    small = image.convert("RGB")
    small.thumbnail((SIDE, SIDE))
    held = BytesIO()
    small.save(held, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(held.getvalue()).decode()}"


def _shown(part: dict[str, Any], fetch: Fetch | None) -> dict[str, Any]:
    if part["type"] != "image_url" or not part["image_url"]["url"].startswith(ARTIFACT):
        return part
    if fetch is None:
        return {"type": "text", "text": "(no picture can be shown)"}
    sha = part["image_url"]["url"].removeprefix(ARTIFACT)
    url = data_url(decode_image(fetch(sha), sha))
    return {"type": "image_url", "image_url": part["image_url"] | {"url": url}}
