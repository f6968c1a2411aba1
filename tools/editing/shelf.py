"""A folder of pictures that models made, each with a line that says how: whole on the disk, or not there.

Knows keys, files and what has to be written down so that a picture can be made again; knows nothing about models.
`<key>.json` is one line and is written last: what has no line was never finished. Pictures and regions lie in
`pictures/` by their own hash; one that is no longer what its line says counts as not made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from pydantic import ValidationError

from store.artifacts import write_whole
from store.errors import UserError
from store.failures import told
from store.records import Model
from tools.editing.backend import Failed, Kind, Made, Outcome, Region, Settings
from tools.images import decode_image
from tools.pictures import png

PICTURES = "pictures"


class Wanted(Model):
    """Everything that a result depends on. `source` and `region` are hashes of files in `pictures/`; "" for none."""

    task: Literal["edit", "generate"]
    words: str
    seed: int
    source: str = ""
    region: str = ""
    settings: Settings
    fingerprint: str

    @property
    def key(self) -> str:
        """64 hexadecimal digits."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


class Line(Model):
    """What is written down of one result: what was wanted, of which model, and the hash of what was made.

    `money` is what it cost when it was made; None where nobody knew. A lasting failure has `failed` and `why`.
    """

    key: str
    model: str
    wanted: Wanted
    made: str = ""
    notes: tuple[str, ...] = ()
    money: float | None = 0.0
    failed: Kind | None = None
    why: str = ""


class Shelf:
    """The pictures in `folder`. Two processes may use it at once: they write the same files with the same content.

    Every method raises UserError where the disk can't be used.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, wanted: Wanted, model: str, outcome: Outcome) -> None:
        """Keeps a result; the picture that it was made of and the region are already here (`add`)."""
        line = Line(key=wanted.key, model=model, wanted=wanted)
        if isinstance(outcome, Failed):
            line = line.model_copy(update={"failed": outcome.kind, "why": outcome.why})
        else:
            made = self.add(outcome.image)
            line = line.model_copy(update={"made": made, "notes": outcome.notes, "money": outcome.money})
        with told(str(self.folder)):
            write_whole(self._line(wanted.key), line.model_dump_json().encode() + b"\n")

    def add(self, picture: Image.Image) -> str:
        """Keeps a picture and returns the hash of its file."""
        data = png(picture)
        sha = hashlib.sha256(data).hexdigest()
        path = self._picture(sha)
        with told(str(self.folder)):
            if not path.is_file() or path.read_bytes() != data:
                write_whole(path, data)
        return sha

    def outcome(self, key: str) -> Outcome | None:
        """The result of that key, its picture unharmed; None where there is none. A recalled picture costs nothing."""
        line = self.line(key)
        if line is None:
            return None
        if line.failed:
            return Failed(line.failed, line.why)
        image = self.picture(line.made)
        return Made(image, line.notes) if image is not None else None

    def line(self, key: str) -> Line | None:
        """What is written of that key; None where nothing is, or nothing that can be read."""
        path = self._line(key)
        with told(str(self.folder)):
            text = path.read_bytes() if path.is_file() else b""
        try:
            line = Line.model_validate_json(text)
        except ValidationError:
            return None
        return line if line.key == line.wanted.key == key else None

    def picture(self, sha: str) -> Image.Image | None:
        """The picture of that hash; None where its file is missing or no longer what it was."""
        path = self._picture(sha)
        with told(str(self.folder)):
            data = path.read_bytes() if path.is_file() else b""
        return decode_image(data, str(path)) if hashlib.sha256(data).hexdigest() == sha else None

    def lines(self) -> Iterator[Line]:
        """Everything that is written down, in the order of the keys."""
        for path in sorted(self.folder.glob("[0-9a-f][0-9a-f]/*.json")):
            if line := self.line(path.stem):
                yield line

    def _line(self, key: str) -> Path:
        return self.folder / _hash(key)[:2] / f"{key}.json"

    def _picture(self, sha: str) -> Path:
        return self.folder / PICTURES / _hash(sha)[:2] / f"{sha}.png"


def as_picture(region: Region) -> Image.Image:
    """A region as it is kept: white where something may change."""
    return Image.fromarray(region.astype(np.uint8) * 255)


def _hash(key: str) -> str:
    """Refuses what is no hash, so that no name leads out of the folder."""
    if len(key) != 64 or not set(key) <= set("0123456789abcdef"):
        raise UserError(f"`{key}` is no picture's key", kind="editor", hint="it has 64 hexadecimal digits")
    return key
