"""The world's pictures as PNG files with their questions: a folder such as anybody has, with no scene behind it.

Writes pixels and words alone. What is read back from there (photos.py) is known by the hash of its pixels, so that
nothing leads from it to a scene.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from experiments.questions_file import Asked, write_questions
from store.errors import UserError
from tools.pictures import png
from tools.stimuli import ImageSource


def write_pictures(sources: Iterable[ImageSource], folder: Path) -> int:
    """Every picture of the sources with the question that goes with it, and how many they are.

    Raises UserError for a folder that holds something: what lies there would be read as well.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"`{folder}` is not an empty folder", kind="images", hint="name a new one")
    folder.mkdir(parents=True, exist_ok=True)
    stimuli = (source.asked(index) for source in sources for index in range(len(source)))
    asked = {}
    for number, stimulus in enumerate(stimuli):
        name = f"{number:05d}.png"
        (folder / name).write_bytes(png(stimulus.image))
        asked[name] = Asked(stimulus.question, stimulus.answer)
    write_questions(folder, asked)
    return len(asked)
