"""A report as files: pages that are well-formed, links that lead somewhere, nothing that points out of the folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reports.site import write
from store.errors import UserError
from tests.reports.conftest import HOSTILE, Written
from tests.reports.filled import (
    ABSTAINED,
    FAILED,
    FINGERPRINT,
    HEAD,
    PENDING,
    UNVERIFIED,
    VERIFIED,
    WARNING,
    measure,
)
from tests.reports.html import Page


def both(report: Written, hostile_report: Written) -> list[Page]:
    return [Page(path) for written in (report, hostile_report) for path in written.pages]


@pytest.fixture(scope="module")
def pages(report: Written, hostile_report: Written) -> list[Page]:
    """Every page of both reports; reading them is the test that they are well-formed."""
    return both(report, hostile_report)


def test_every_component_and_the_run_have_a_page(report: Written) -> None:
    names = {path.stem for path in report.pages}
    assert names == {"index", VERIFIED, UNVERIFIED, ABSTAINED, FAILED, HEAD, PENDING}


def test_ids_are_unique_on_a_page(pages: list[Page]) -> None:
    for page in pages:
        assert len(page.ids) == len(set(page.ids)), page.path.name


def test_every_link_leads_to_a_page_and_place_that_exist(pages: list[Page]) -> None:
    ids = {page.path: set(page.ids) for page in pages}
    for page in pages:
        for link in page.links:
            name, _, place = link.partition("#")
            path = (page.path.parent / name).resolve() if name else page.path
            assert path in ids, f"{page.path.name}: {link}"
            assert not place or place in ids[path], f"{page.path.name}: {link}"


def test_a_claim_about_a_head_says_what_it_is_about_and_what_the_sealed_test_said(report: Written) -> None:
    told = report.page(HEAD)
    assert 'reads <span class="claim-about">picture</span>' in told
    assert "on the sealed test 0.70 [0.64, 0.75], null 0.11, n = 512" in told
    assert "on the sealed test 0.86 [0.80, 0.91], null 0.50, n = 512" in told
    assert told.count("on the sealed test ") == 2 and 'class="claim-about"' not in report.page(VERIFIED)


def test_every_receipt_jumps_to_its_experiment(report: Written) -> None:
    page = Page(report.front.parent / "components" / f"{VERIFIED}.html")
    description = report.store.queries.description(report.run, VERIFIED)
    assert description is not None
    cited = {
        f"e{number}" for number in re.findall(r"\d+", " ".join(re.findall(r"\[e[^]]*\]", description.text)))
    }
    assert cited and cited <= set(page.ids) and {f"#{name}" for name in cited} <= set(page.links)


def test_every_picture_is_there_and_is_told_in_words(pages: list[Page]) -> None:
    shown = [(page, image) for page in pages for image in page.images]
    assert len(shown) > 50
    for page, image in shown:
        assert (page.path.parent / str(image["src"])).is_file()
        assert image["alt"] and image["width"] and image["height"]


def test_every_drawing_is_told_in_words(pages: list[Page]) -> None:
    told = [label for page in pages for label in page.labels]
    assert len(told) > 50 and all(told)


def test_nothing_points_to_the_network(pages: list[Page]) -> None:
    for page in pages:
        source = page.path.read_text(encoding="utf-8")
        assert not re.search(r"https?:|//[a-z]|@import|url\((?!#)", source, re.IGNORECASE), page.path.name


def test_nothing_can_run(pages: list[Page]) -> None:
    for page in pages:
        assert not page.tags & {"script", "iframe", "object", "embed", "form", "base", "link"}
        assert not [name for name in page.attributes if name.startswith("on")]
        assert "default-src 'none'" in page.path.read_text(encoding="utf-8")


def test_hostile_words_are_shown_and_are_words(hostile_report: Written) -> None:
    page = Page(hostile_report.front.parent / "components" / f"{VERIFIED}.html")
    assert HOSTILE in page.says
    assert {"script", "b"} & page.tags <= {"b"}
    assert "49" not in re.findall(r"<b>(\d+)</b>", page.path.read_text(encoding="utf-8"))
    assert not [image for image in page.images if image["src"] == "x"]


def test_a_status_is_a_word_beside_a_glyph(report: Written) -> None:
    for address, status in ((VERIFIED, "verified"), (UNVERIFIED, "unverified"), (ABSTAINED, "abstained")):
        assert re.search(
            rf'class="badge {status}"[^>]*><svg.*?</svg> {status}</span>', report.page(address), re.S
        )


def test_refuted_hypotheses_stay(report: Written) -> None:
    page = Page(report.front.parent / "components" / f"{VERIFIED}.html")
    assert "It fires on round things of any color." in page.says
    assert "refuted" in page.says


def test_an_abstention_says_why_with_its_receipt(report: Written) -> None:
    assert re.search(r'no phrase separates its exemplars.*href="#e\d+"', report.page(ABSTAINED))


def test_scores_stand_beside_their_null_and_threshold(report: Written) -> None:
    page = Page(report.front.parent / "components" / f"{VERIFIED}.html")
    assert "0.78 [0.74, 0.82] at 95 %, null 0.41, threshold 0.30" in page.labels
    assert "its lower end lies above 0.30, and beats what untrained copies reach (0.41)" in page.says


def test_a_refused_call_is_shown_with_its_reason(report: Written) -> None:
    assert (
        "not carried out: tell is not a tool; did you mean patch?"
        in Page(report.front.parent / "components" / f"{VERIFIED}.html").says
    )


def test_the_index_says_what_was_run_and_how_it_ended(report: Written) -> None:
    page = Page(report.front)
    for told in (
        "tableau-llava",
        FINGERPRINT[:12],
        "builtin",
        "2 of 6 components",
        "partial",
        "vision.2.mlp",
    ):
        assert told in page.says


def test_the_index_says_what_to_distrust(report: Written) -> None:
    says = Page(report.front).says
    assert "Shared judge on 1 component" in says
    assert "1 abstention" in says
    assert "1 score no better than the null" in says
    assert "Warned 2 times" in says and WARNING in says
    assert "maieutic label --resume" in says


def test_writing_again_changes_nothing(report: Written) -> None:
    before = {path: path.read_bytes() for path in report.pages}
    assert write(report.store, report.run, report.front.parent) == report.front
    assert {path: path.read_bytes() for path in report.pages} == before


def test_pictures_are_kept_once_under_their_content(report: Written) -> None:
    names = [path.name for path in (report.front.parent / "pictures").iterdir()]
    assert names and all(re.fullmatch(r"[0-9a-f]{64}\.png", name) for name in names)


def test_a_picture_that_the_store_lost_is_shown_as_missing(report: Written, tmp_path: Path) -> None:
    name = Page(report.front).images[0]["src"]
    artifact = report.store.artifacts.path(Path(str(name)).stem)
    data = artifact.read_bytes()
    artifact.write_bytes(b"<svg onload=alert(1)>")
    try:
        index = write(report.store, report.run, tmp_path / "out")
    finally:
        artifact.write_bytes(data)
    assert "picture not in the store" in Page(index).says


def test_a_run_without_components_shows_its_calls(report: Written, tmp_path: Path) -> None:
    run = report.store.recorder.open_run("direct", FINGERPRINT, {"tool": "ablate"}, 0, "")
    number = measure(
        report.store, run, "direct", 0, 0, "ablate", {"summary": "the answer's logit falls by 0.4"}
    )
    index = write(report.store, run, tmp_path / "out")
    assert "components/direct.html" in Page(index).links
    assert f"e{number}" in Page(index.parent / "components" / "direct.html").ids


def test_an_unknown_run_is_refused_in_one_sentence(report: Written, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the store has no run `nope`"):
        write(report.store, "nope", tmp_path)


def test_a_folder_that_can_not_be_written_is_named(report: Written, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match=r"the report can't be written to `.*file"):
        write(report.store, report.run, tmp_path / "file")
