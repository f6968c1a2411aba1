"""Pages as a reader meets them, in Chromium, on a laptop and on a phone, with scripts and network of no use."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from reports.site import write
from store.database import open_store
from tests.conftest import skip_or_fail
from tests.reports.conftest import Written
from tests.reports.filled import HEAD, UNVERIFIED, VERIFIED
from tests.reports.folded import MANY, fill_many

NAMES = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = (1280, 390)


@dataclass
class Reader:
    """A page in a window of some width, with what went wrong on it."""

    page: Page
    report: Written
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def open(self, address: str = "") -> Page:
        path = self.report.front.parent / "components" / f"{address}.html" if address else self.report.front
        self.page.goto(path.as_uri())
        return self.page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        skip_or_fail("chromium", "there is no Chromium on this machine: `apt-get install chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def reader(
    browser: Browser, report: Written, width: int, scheme: Literal["light", "dark"] = "light"
) -> Reader:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    found = Reader(context.new_page(), report)
    found.page.on("console", lambda message: found.complaints.append(message.text))
    found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
    found.page.on("request", lambda request: found.asked.append(request.url))
    return found


@pytest.fixture(scope="module", params=WIDTHS)
def reading(browser: Browser, report: Written, request: pytest.FixtureRequest) -> Reader:
    return reader(browser, report, request.param)


@pytest.fixture(scope="module")
def laptop(browser: Browser, report: Written) -> Reader:
    return reader(browser, report, WIDTHS[0])


@pytest.mark.parametrize("address", ["", VERIFIED, UNVERIFIED, HEAD])
def test_a_page_fits_its_window_and_shows_its_pictures(reading: Reader, address: str) -> None:
    page = reading.open(address)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.evaluate(LOAD)
    assert reading.complaints == []
    assert all(url.startswith("file:") for url in reading.asked)


def test_hostile_words_neither_run_nor_break_the_page(browser: Browser, hostile_report: Written) -> None:
    found = reader(browser, hostile_report, WIDTHS[1])
    for address in ("", VERIFIED, HEAD):
        page = found.open(address)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert found.complaints == []


def test_a_receipt_brings_its_experiment_into_view(reading: Reader) -> None:
    page = reading.open(VERIFIED)
    receipt = page.locator(".says a.receipt").last
    card = page.locator(str(receipt.get_attribute("href")))
    receipt.click()
    assert card.evaluate(IN_VIEW)
    assert card.evaluate("card => card.matches(':target')")


@pytest.fixture(scope="module")
def long_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a component with many cards behind folds."""
    folder = tmp_path_factory.mktemp("long")
    with open_store(folder / "store.db") as store:
        run, _ = fill_many(store)
        return write(store, run, folder / "out").parent / "components" / f"{MANY}.html"


@pytest.mark.parametrize("place", ["h2", "e2", "e8", "step0"])
def test_a_link_into_a_fold_opens_it_and_lands_on_its_card(
    browser: Browser, long_page: Path, place: str
) -> None:
    with browser.new_page(viewport={"width": 1280, "height": 600}, reduced_motion="reduce") as page:
        page.goto(long_page.as_uri())
        card = page.locator(f"#{place}")
        assert card.evaluate(SHUT)
        page.goto(f"{long_page.as_uri()}#{place}")
        assert not card.evaluate(SHUT)
        assert card.evaluate(IN_VIEW)


def test_paper_shows_what_is_folded(browser: Browser, long_page: Path) -> None:
    with browser.new_page() as page:
        page.goto(long_page.as_uri())
        page.emulate_media(media="print")
        assert not any(page.locator(place).evaluate(SHUT) for place in ("#h2", "#e2", "#step0"))
        assert page.locator("#e2 .record pre").first.evaluate(SHUT)


@pytest.mark.parametrize("width", WIDTHS)
def test_open_folds_fit_the_window(browser: Browser, long_page: Path, width: int) -> None:
    with browser.new_page(viewport={"width": width, "height": 900}) as page:
        page.goto(long_page.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_the_table_sorts_and_filters_without_a_script(laptop: Reader) -> None:
    page = laptop.open()
    rows = page.locator(".row:not(.head)")

    def first() -> str:
        tops = "rows => rows.filter(row => row.offsetParent).sort((a, b) => a.offsetTop - b.offsetTop)[0].innerText"
        return str(rows.evaluate_all(tops))

    assert "vision.2" in first()
    page.get_by_label("test ρ").check()
    assert "red things" in first()
    page.get_by_label("verified 2").uncheck()
    assert "red things" not in first()


def test_heat_maps_give_way_to_pictures(laptop: Reader) -> None:
    page = laptop.open(VERIFIED)
    grid = page.locator("#e1 .looks").first
    plain, heat = grid.locator(".plain").first, grid.locator(".heat").first
    assert heat.is_visible() and not plain.is_visible()
    grid.get_by_label("pictures").check()
    assert plain.is_visible() and not heat.is_visible()
    grid.get_by_label("both").check()
    assert plain.is_visible() and heat.is_visible()


def test_the_keyboard_reaches_the_content_first_and_shows_where_it_is(laptop: Reader) -> None:
    page = laptop.open(VERIFIED)
    page.keyboard.press("Tab")
    assert page.locator(".skip").evaluate("link => link.getBoundingClientRect().left >= 0")
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_the_paper_in_both_schemes(
    browser: Browser, report: Written, scheme: Literal["light", "dark"]
) -> None:
    found = reader(browser, report, WIDTHS[0], scheme)
    found.open(VERIFIED)
    for selector in (
        "body",
        ".aside",
        ".badge",
        ".receipt",
        ".warning",
        ".answer.yes",
        ".outcome.contradicts",
    ):
        assert found.page.locator(selector).first.evaluate(CONTRAST) >= 4.5, selector


def test_paper_shows_no_controls(laptop: Reader) -> None:
    page = laptop.open(VERIFIED)
    page.emulate_media(media="print")
    assert not page.locator(".contents").is_visible() and not page.locator(".choose").first.is_visible()
    assert page.locator(".says").is_visible()
    page.emulate_media(media="screen")


IN_VIEW = "card => 0 <= card.getBoundingClientRect().top && card.getBoundingClientRect().top < innerHeight"
"""Whether an element begins in the window."""

SHUT = "card => !card.checkVisibility({contentVisibilityAuto: true})"
"""Whether a closed fold hides an element."""

LOAD = """() => Promise.all([...document.images].map(image => {
  image.loading = 'eager';
  return image.decode();
}))"""
"""Fails when a picture of the page can't be shown."""

CONTRAST = """element => {
  const channels = color => color.match(/[\\d.]+/g).map(Number);
  const light = color => {
    const [r, g, b] = channels(color).map(c => c / 255).map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  let behind = element;
  while (channels(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
  const [one, other] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor].map(light);
  return (Math.max(one, other) + .05) / (Math.min(one, other) + .05);
}"""
"""WCAG 2 contrast ratio of an element's text against what is behind it."""
