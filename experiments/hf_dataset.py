"""A Hugging Face dataset that `save_to_disk` wrote, as a collection of pictures.

Knows columns: the one of pictures, and `question` and `answer` where both are words. Pictures are split by content as
those of a folder are (photos.py); the dataset's own splits are joined first, since they need not be apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from experiments.photos import Splits, fitted, hashed, shared_out
from store.errors import UserError
from tools.images import decode_image, open_image

MARKS = ("dataset_dict.json", "dataset_info.json")
"""Files by which `save_to_disk` can be told from a folder of pictures."""


def is_dataset(folder: str | Path) -> bool:
    """Whether `save_to_disk` wrote the folder."""
    return any((Path(folder).expanduser() / name).is_file() for name in MARKS)


def open_dataset(folder: str | Path) -> Splits:
    """The pictures of a saved dataset, each content once.

    Raises UserError when it can't be read or has no pictures, and for a broken or too large picture, named by its row.
    """
    place = Path(folder).expanduser()
    opens: list[Callable[[], Image.Image]] = []
    words: list[tuple[str, str]] = []
    for name, part in _parts(place):
        column, asked = _picture_column(part, name), _has_words(part)
        part = part.cast_column(column, _undecoded())
        for row in range(len(part)):
            opens.append(partial(_opened, part, row, column, f"{name}[{row}]"))
        if asked:
            words += zip(map(str, part["question"]), map(str, part["answer"]), strict=True)
        else:
            words += [("", "")] * len(part)
    if not opens:
        raise _refusal(f"`{folder}` holds no rows", "save a dataset that has some")
    photos = [
        replace(photo, question=question, answer=answer)
        for photo, (question, answer) in zip(hashed(opens), words, strict=True)
    ]
    return shared_out(place.name, photos)


def _parts(place: Path) -> Iterator[tuple[str, Any]]:
    """Every split of the dataset with its name."""
    from datasets import DatasetDict, load_from_disk  # type: ignore[import-untyped]

    try:
        found = load_from_disk(str(place))
    except (OSError, ValueError, KeyError, TypeError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise _refusal(
            f"`{place}` can't be read as a dataset: {first}", "save it again with `save_to_disk`"
        ) from error
    if isinstance(found, DatasetDict):
        yield from ((f"{place.name}/{split}", part) for split, part in found.items())
    else:
        yield place.name, found


def _picture_column(part: Any, name: str) -> str:
    from datasets import Image as ImageFeature

    columns = [column for column, feature in part.features.items() if isinstance(feature, ImageFeature)]
    if "image" in columns:
        return "image"
    if not columns:
        raise _refusal(
            f"`{name}` has no column of pictures, only {', '.join(part.features) or 'none'}",
            "cast the column with `datasets.Image()` and save it again",
        )
    return str(columns[0])


def _has_words(part: Any) -> bool:
    return all(
        getattr(part.features.get(column), "dtype", "") in ("string", "large_string")
        for column in ("question", "answer")
    )


def _undecoded() -> Any:
    from datasets import Image as ImageFeature

    return ImageFeature(decode=False)


def _opened(part: Any, row: int, column: str, name: str) -> Image.Image:
    cell = part[row][column]
    if not cell:
        raise _refusal(f"`{name}` is empty", "leave rows without a picture out")
    if cell.get("bytes"):
        return fitted(decode_image(cell["bytes"], name), name)
    return fitted(open_image(cell["path"]), name)


def _refusal(message: str, hint: str) -> UserError:
    return UserError(message, kind="images", hint=hint)
