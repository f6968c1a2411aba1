"""Pictures as a model is shown them: small, in place of their hashes, and a word where none can be shown."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from agent.sights import SIDE, data_url, picture, seen
from tools.pictures import png


def decoded(url: str) -> Image.Image:
    head, _, data = url.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(BytesIO(base64.b64decode(data)))


@pytest.mark.parametrize(
    ("size", "shown"),
    [((1000, 500), (SIDE, SIDE // 2)), ((300, 900), (SIDE // 3, SIDE)), ((96, 96), (96, 96))],
)
def test_a_large_picture_is_scaled_down_in_its_own_proportions_and_a_small_one_is_left(
    size: tuple[int, int], shown: tuple[int, int]
) -> None:
    found = decoded(data_url(Image.new("RGBA", size, (200, 30, 30, 128))))
    assert (found.size, found.mode) == (shown, "RGB")


def test_a_picture_stands_by_its_hash_until_it_is_fetched() -> None:
    part = picture("ab" * 32)
    said: list[dict[str, Any]] = [
        {"role": "user", "content": [{"type": "text", "text": "e1"}, part]},
        {"role": "user", "content": "next"},
    ]
    told, plain = seen(said, lambda sha: png(Image.new("RGB", (800, 800))))
    assert told["content"][0] == {"type": "text", "text": "e1"} and plain is said[1]
    assert decoded(told["content"][1]["image_url"]["url"]).size == (SIDE, SIDE)
    assert part["image_url"]["url"] == "artifact:" + "ab" * 32, "the record keeps the hash"


def test_without_a_store_a_word_stands_in_its_place() -> None:
    (told,) = seen([{"role": "user", "content": [picture("ab" * 32)]}], None)
    assert told["content"] == [{"type": "text", "text": "(no picture can be shown)"}]
