"""A folder of pictures as a collection: opened with limits, split by content, asked neutral questions.

Knows files, pixels and how they are shared out: half for `train`, a fifth for `select`, the rest for `test`, by the
hash of the pixels alone, so that a picture stays where it is when others come or its file gets another name, and no
picture stands on both sides of a wall. Knows nothing about what the pictures show: a question has no known answer but
the one that came with it (questions_file.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from experiments.questions_file import Asked, meant, read_questions
from store.errors import UserError
from store.records import Split
from tools.images import open_image
from tools.stimuli import Stimulus

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
SHARES: dict[Split, float] = {"train": 0.5, "select": 0.2, "test": 0.3}
LONGEST = 1024
"""Pixels of the longer side above which a picture is scaled down."""
SHORTEST = 16
"""Pixels of the shorter side below which no model or judge can tell anything."""
KEPT = 64
"""Pictures of a split that are kept in memory: 200 MB at most."""
READERS = 2
"""Threads that open pictures; each may hold one of 50 megapixels."""
QUESTIONS = (
    "What is in this picture?",
    "What color is the main object?",
    "What is in the background?",
    "Is there a person in this picture?",
    "How many things can you see?",
    "Where was this picture taken?",
)
"""What photographs are asked about; nobody has told us the answers."""


@dataclass(frozen=True)
class Photo:
    """One picture of a collection: hash of its pixels, how it is opened, and the question that it came with."""

    sha256: str
    open: Callable[[], Image.Image]
    question: str = ""
    answer: str = ""

    @property
    def share(self) -> float:
        """Where the hash lies between 0 and 1."""
        return int(self.sha256[:12], 16) / 16**12


class Splits(NamedTuple):
    """The three parts of a collection of photographs."""

    train: PhotoSource
    select: PhotoSource
    test: PhotoSource


class PhotoSource:
    """One part of a collection, in the order of the hashes. Fulfils `tools.stimuli.ImageSource`."""

    kinds: tuple[str, ...] = ()

    def __init__(self, name: str, split: Split, photos: Iterable[Photo]) -> None:
        self.name = name
        self.split: Split = split
        self.photos = tuple(sorted(photos, key=lambda photo: photo.sha256))
        self._opened = lru_cache(maxsize=KEPT)(lambda index: self.photos[index].open())

    def __len__(self) -> int:
        return len(self.photos)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the hashes of all pictures and of the questions that they came with."""
        told = (f"{photo.sha256}|{photo.question}|{photo.answer}\n" for photo in self.photos)
        return hashlib.sha256("".join(told).encode()).hexdigest()

    def picture(self, index: int, /) -> Stimulus:
        """Picture `index` without a question. Raises IndexError beyond the end."""
        if not 0 <= index < len(self.photos):
            raise IndexError(f"`{self.split}` has pictures 0–{len(self.photos) - 1}, not {index}")
        return Stimulus(f"photos/{self.photos[index].sha256[:16]}", self._opened(index))

    def asked(self, index: int, /) -> Stimulus:
        """Picture `index` with the question that it came with, or a neutral one whose answer is not known."""
        bare, photo = self.picture(index), self.photos[index]
        question = photo.question or QUESTIONS[int(photo.sha256[12:20], 16) % len(QUESTIONS)]
        return replace(bare, key=f"{bare.key}?", question=question, answer=photo.answer)

    def ask(self, kind: str, n: int, seed: int, /) -> list[Stimulus]:
        """Nothing: no question of a known kind has a known answer."""
        return []


def open_photos(folder: str | Path) -> Splits:
    """The pictures in a folder and the folders in it, each content once; files that are no pictures are passed over.

    Every picture is opened once; `metadata.jsonl` may say what they are asked. Raises UserError that names the file for
    one that is broken or too large, and for a folder that is missing or has too few pictures.
    """
    place = Path(folder).expanduser()
    if not place.is_dir():
        raise _refusal(f"`{folder}` is not a folder", "give a folder of pictures")
    paths = sorted(path for path in place.rglob("*") if _is_picture(path, place))
    if not paths:
        raise _refusal(f"`{folder}` holds no pictures", f"pictures are files ending in {', '.join(SUFFIXES)}")
    asked = read_questions(place, paths)
    photos = hashed([partial(_opened, path) for path in paths])
    words = (asked.get(path, Asked("")) for path in paths)
    return shared_out(
        place.name, (replace(photo, **own._asdict()) for photo, own in zip(photos, words, strict=True))
    )


def shared_out(name: str, photos: Iterable[Photo]) -> Splits:
    """The three parts of a collection. Raises UserError when one of them would be empty."""
    distinct = {photo.sha256: photo for photo in photos}
    parts: dict[Split, list[Photo]] = {split: [] for split in SHARES}
    for photo in distinct.values():
        parts[_split_of(photo.share)].append(photo)
    empty = [split for split, part in parts.items() if not part]
    if empty:
        raise _refusal(
            f"`{name}` has {len(distinct)} different pictures, too few to be split: none falls to `{empty[0]}`",
            "give some fifty or more",
        )
    return Splits(*(PhotoSource(name, split, part) for split, part in parts.items()))


def hashed(opens: Sequence[Callable[[], Image.Image]]) -> list[Photo]:
    """A photo for each way to open one, in order; all are opened, a few at a time. Raises what opening raises."""
    with ThreadPoolExecutor(READERS) as pool:
        hashes = list(pool.map(lambda open_one: pixels_hash(open_one()), opens))
    return [Photo(sha256, open_one) for sha256, open_one in zip(hashes, opens, strict=True)]


def pixels_hash(picture: Image.Image) -> str:
    """SHA-256 of size and pixels."""
    size = f"{picture.width}×{picture.height}|".encode()
    return hashlib.sha256(size + picture.tobytes()).hexdigest()


def fitted(picture: Image.Image, name: str) -> Image.Image:
    """The picture with a longer side of at most LONGEST pixels; `name` is what an error calls it.

    Raises UserError where the other side is then shorter than SHORTEST.
    """
    size = f"{picture.width}×{picture.height}"
    if max(picture.size) > LONGEST:
        picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    if min(picture.size) < SHORTEST:
        raise UserError(
            f"`{name}` of {size} pixels is too small to be looked at",
            kind="image",
            hint=f"leave it out, or give one with sides of at least {SHORTEST} pixels",
        )
    return picture


def _opened(path: Path) -> Image.Image:
    return fitted(open_image(meant(path)), str(meant(path)))


def _split_of(share: float) -> Split:
    upto = 0.0
    for split, part in SHARES.items():
        upto += part
        if share < upto:
            return split
    return "test"


def _is_picture(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix.lower() in SUFFIXES and path.is_file() and not hidden


def _refusal(message: str, hint: str) -> UserError:
    return UserError(message, kind="images", hint=hint)
