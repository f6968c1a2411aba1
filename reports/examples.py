"""A page of examples: what was said of components whose truth is known, right and wrong, for a person to judge.

One file that needs no other: its pictures stand in it, small. Knows how an example is shown; which ones are chosen, and
what makes them right, is decided by whoever knows the truth.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from reports.pages import TEMPLATES, environment, whole_or_not_at_all
from store.errors import UserError
from store.records import Score
from store.views import Run

SIDE = 160
"""Pixels of a picture's longer side in the page, at most."""
QUALITY = 78


@dataclass(frozen=True)
class View:
    """A picture (with heat, where there are places), how active the component is there as a share of its largest value,
    how far the words hold there (0 to 1; None where that is not asked), and the question before it, if that matters."""

    picture: Image.Image
    share: float
    presence: float | None = None
    question: str = ""

    @property
    def told(self) -> str:
        """In words, for those who do not see it."""
        words = f", the {self.holds}" if self.holds else ""
        return f"picture on which it reaches {self.share:.0%} of its largest value{words}"

    @property
    def holds(self) -> str:
        """Whether the words hold, and to what share where they do by halves."""
        if self.presence is None:
            return ""
        whole = {0.0: "words don’t hold", 1.0: "words hold"}
        return whole.get(round(self.presence, 2), f"words hold to {self.presence:.0%}")

    @property
    def data(self) -> str:
        """The picture as a `data:` address."""
        small = self.picture.convert("RGB")
        small.thumbnail((SIDE, SIDE))
        buffer = io.BytesIO()
        small.save(buffer, "WEBP", quality=QUALITY)
        return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


@dataclass(frozen=True)
class Example:
    """One component: its truth and what was said of it, in words and as written; whether that is right, and why.

    `top` are the pictures that excite it most, `doubtful` those of the test where the words fit it least.
    """

    component: str
    kind: str
    truth: str
    said: str
    written: str
    right: bool
    why: str
    status: str
    reading: str
    score: Score | None
    top: tuple[View, ...]
    doubtful: tuple[View, ...]


@dataclass(frozen=True)
class Drawn:
    """The examples of a page, out of how many right and wrong labels they were drawn, and by which seed."""

    right: Sequence[Example]
    wrong: Sequence[Example]
    all_right: int
    all_wrong: int
    seed: int


def page(run: Run, drawn: Drawn) -> str:
    """The page as HTML."""
    return (
        environment()
        .get_template("examples.html")
        .render(run=run, drawn=drawn, style=(TEMPLATES / "style.css").read_text(encoding="utf-8"))
    )


def write_examples(run: Run, drawn: Drawn, path: Path) -> None:
    """Writes the page. Raises UserError where that is not possible."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        whole_or_not_at_all(path, page(run, drawn))
    except OSError as error:
        raise UserError(
            f"the page can't be written to `{path}`: {error.strerror or error}",
            kind="report",
            hint="choose another place with `--page`",
        ) from error
