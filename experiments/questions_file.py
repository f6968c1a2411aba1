"""What the pictures of a folder are asked: `metadata.jsonl` beside them, one JSON object a line.

Knows `file_name` (below the folder), `question` and `answer`, as Hugging Face's `imagefolder` has them; other fields
are passed over. A picture that no line names is asked a neutral question (photos.py). Knows nothing about pixels.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from store.errors import UserError

NAME = "metadata.jsonl"


class Asked(NamedTuple):
    """A question in words, and its right answer where one is known."""

    question: str
    answer: str = ""


def read_questions(folder: Path, pictures: Collection[Path]) -> dict[Path, Asked]:
    """The question of each picture that has one; nothing where the folder has no such file.

    Raises UserError that names the line for one that is no object, lacks words, or names none of the pictures.
    """
    file = folder / NAME
    if not file.is_file():
        return {}
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise _refusal(f"`{meant(file)}` is no text in UTF-8 ({error})") from error
    known, found = set(pictures), {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{meant(file)}:{number}"
        row = _object(line, where)
        path = folder / row["file_name"]
        if path not in known:
            raise _refusal(f"`{where}` names `{row['file_name']}`, which is no picture of the folder")
        if row["question"].strip():
            found[path] = Asked(row["question"].strip(), row["answer"].strip())
    return found


def meant(path: Path) -> Path:
    """The file itself, where the folder has a link to it: what a user knows it by."""
    return path.resolve() if path.is_symlink() else path


def write_questions(folder: Path, asked: dict[str, Asked]) -> None:
    """By the names of the pictures' files in the folder."""
    lines = [json.dumps({"file_name": name, **one._asdict()}) + "\n" for name, one in asked.items()]
    (folder / NAME).write_text("".join(lines), encoding="utf-8")


def _object(line: str, where: str) -> dict[str, str]:
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _refusal(f"`{where}` is no JSON ({error})") from error
    if not isinstance(row, dict) or not row.get("file_name"):
        raise _refusal(f"`{where}` is no object with a `file_name`")
    words = {name: row.get(name) or "" for name in ("file_name", *Asked._fields)}
    for name, value in words.items():
        if not isinstance(value, str):
            raise _refusal(f"`{where}` has a `{name}` that is no text")
    return words


def _refusal(message: str) -> UserError:
    return UserError(
        message,
        kind="images",
        hint='a line looks like {"file_name": "cat.png", "question": "Is there a cat?", "answer": "yes"}',
    )


@contextmanager
def beside(folder: str, questions: str) -> Iterator[str]:
    """The folder with this file as its questions: a copy made of links while the block runs, or the folder itself where
    no file is given. Raises UserError where either of them is not there."""
    if not questions:
        yield folder
        return
    file, place = Path(questions), Path(folder)
    if not file.is_file():
        raise _refusal(f"`{questions}` is no file of questions")
    if not folder or not place.is_dir():
        raise UserError(
            "`--questions` are about a folder of pictures",
            kind="images",
            hint="give the folder with `--images`",
        )
    with TemporaryDirectory(prefix="maieutic-questions-") as made:
        copy = Path(made) / place.name
        copy.mkdir()
        for path in sorted(place.rglob("*")):
            if path.is_file() and path.name != NAME:
                link = copy / path.relative_to(place)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(path.absolute())
        (copy / NAME).symlink_to(file.absolute())
        yield str(copy)
