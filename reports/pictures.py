"""Pictures of the record, laid beside the pages under the names of their contents.

A picture that occurs on many pages is one file. Knows which formats a browser shows without running anything, and goes
by the bytes, not by what they were called; what is missing or damaged is shown as missing.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from store.artifacts import Artifacts
from store.errors import UserError

ENDINGS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp", "GIF": "gif"}
SHA = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Picture:
    """A file in the pictures' folder, and its size in pixels."""

    name: str
    width: int
    height: int


class Pictures:
    """Copies what is asked for into `folder`, each content once."""

    def __init__(self, artifacts: Artifacts, folder: Path) -> None:
        self._artifacts = artifacts
        self._folder = folder
        self._known: dict[str, Picture | None] = {}

    def __call__(self, sha: str) -> Picture | None:
        """The picture of this hash; None where the record has no such picture."""
        if sha not in self._known:
            self._known[sha] = self._copy(sha) if SHA.fullmatch(sha) else None
        return self._known[sha]

    def _copy(self, sha: str) -> Picture | None:
        try:
            data = self._artifacts.get(sha)
        except UserError:
            return None
        read = _header(data)
        if read is None:
            return None
        ending, size = read
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{sha}.{ending}"
        if not path.exists() or path.stat().st_size != len(data):
            path.write_bytes(data)
        return Picture(path.name, *size)


def _header(data: bytes) -> tuple[str, tuple[int, int]] | None:
    """The ending of its format, and width and height; None when these bytes are no picture of ours."""
    try:
        with Image.open(io.BytesIO(data), formats=tuple(ENDINGS)) as image:
            return ENDINGS[str(image.format)], image.size
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
