"""The page of examples is one file, shows what was drawn and why it is right or wrong, and fits its window."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from reports.examples import SIDE, Drawn, Example, View, page, write_examples
from store.errors import UserError
from store.records import Score
from store.views import Run
from tests.reports.conftest import HOSTILE
from tests.reports.pictures import painted
from tests.reports.test_browser import LOAD, WIDTHS, browser

__all__ = ["browser"]

RUN = Run(
    id="abc",
    kind="label",
    target="tableau-llava",
    fingerprint="f" * 64,
    arguments={},
    seed=3,
    planner="builtin",
    status="done",
    started="2026-01-02T03:04:05",
    ended="",
)


def example(number: int, right: bool, said: str = "a star") -> Example:
    views = tuple(View(painted(number * 10 + i)[0], 1 - i / 10) for i in range(6))
    doubtful = tuple(
        View(painted(number * 10 + i)[0], 0.1, presence) for i, presence in enumerate((1, 0, 0.17))
    )
    return Example(
        component=f"vision.0.mlp.{number}",
        kind="two faced",
        truth="a star or a moon",
        said=said,
        written="star",
        right=right,
        why="All of it was said." if right else "Missing: moon.",
        status="verified",
        reading="+ at visual tokens",
        score=Score(value=0.81, ci=(0.7, 0.9), n=400, split="test"),
        top=views,
        doubtful=doubtful if right else (),
    )


def drawn(said: str = "a star") -> Drawn:
    return Drawn([example(n, True, said) for n in range(3)], [example(9, False, said)], 30, 1, 3)


def test_the_page_says_how_many_there_are_and_that_all_wrong_ones_are_shown() -> None:
    told = " ".join(re.sub(r"<[^>]+>", " ", page(RUN, drawn())).split())
    assert "30 of 31 descriptions are right" in told
    assert "Of 30 right ones 3 are shown" in told and "of 1 wrong ones all" in told and "seed 3" in told
    assert "Missing: moon." in told and "ρ 0.81 [0.70, 0.90]" in told
    assert all(words in told for words in ("words hold", "words don’t hold", "words hold to 17%"))


def test_its_pictures_stand_in_it_and_are_small() -> None:
    made = page(RUN, drawn())
    sources = re.findall(r'src="([^"]+)"', made)
    assert len(sources) == 3 * 9 + 6 and all(one.startswith("data:image/webp;base64,") for one in sources)
    with Image.open(io.BytesIO(base64.b64decode(sources[0].partition(",")[2]))) as image:
        assert max(image.size) <= SIDE
    assert "<script" not in made and "http:" not in made and "https:" not in made


def test_words_with_markup_stay_words() -> None:
    assert "<script>alert" not in page(RUN, drawn(HOSTILE))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window_and_shows_its_pictures(
    browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    path = tmp_path / "examples.html"
    write_examples(RUN, drawn("a large striped star together with a " * 4), path)
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]  # one of the two
    with context.new_page() as shown:
        shown.on("console", lambda message: complaints.append(message.text))
        shown.goto(path.as_uri())
        assert shown.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        shown.evaluate(LOAD)
    assert complaints == []


def test_a_place_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="the page can't be written"):
        write_examples(RUN, drawn(), tmp_path / "file" / "page.html")
