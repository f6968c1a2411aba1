"""Pages of answers: each holds the question, the answer with links to its receipts, its numbers and experiments."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.findings import groups
from reports.site import write
from store.database import Store, open_store
from store.recorder import QUESTION
from store.records import AnswerRow, Finding
from tests.store.records import TARGET, UNIT, measure


def finding(number: int, **more: object) -> Finding:
    told = {
        "question": "which heads write <color>?",
        "kind": "which",
        "understood": "which heads write into the answer directly: color?",
        "status": "answered",
        "answer": f"One head restores 0.40 of the gap [e{number}].",
        "rows": (
            AnswerRow(
                component=UNIT,
                value=0.4,
                unit="share of the gap",
                ci=(0.3, 0.5),
                n=16,
                control=0.01,
                evidence=(number,),
                measure="share restored",
                told="sufficient",
            ),
        ),
        "evidence": (number,),
    }
    return Finding.model_validate(told | more)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = open_store(tmp_path / "store.db")
    found.recorder.target("tiny", TARGET, "llava", {})
    return found


def pages(store: Store, folder: Path, **more: object) -> tuple[str, str]:
    """The index and the page of an answer."""
    run = store.recorder.open_run("ask", TARGET, {"question": "?"}, 0, "builtin")
    number = measure(store, run, thread=QUESTION, tool="find_components").number
    store.recorder.finding(run, 1, finding(number, **more))
    index = write(store, run, folder)
    return index.read_text(encoding="utf-8"), (folder / "finding-1.html").read_text(encoding="utf-8")


def test_an_answer_links_to_the_card_of_its_experiment(store: Store, tmp_path: Path) -> None:
    index, page = pages(store, tmp_path / "out")
    assert 'href="#e1"' in page
    assert 'id="e1"' in page
    assert "0.40 of the gap" in page
    assert 'href="finding-1.html"' in index


def test_the_question_is_shown_as_it_was_asked_and_as_it_was_understood(store: Store, tmp_path: Path) -> None:
    index, page = pages(store, tmp_path / "out")
    for told in (index, page):
        assert "which heads write &lt;color&gt;?" in told
        assert "<color>" not in told
    assert "Understood as: which heads write into the answer directly" in page


def test_numbers_are_drawn_beside_their_control(store: Store, tmp_path: Path) -> None:
    _, page = pages(store, tmp_path / "out")
    assert "Share restored" in page
    assert "control 0.01" in page
    assert "sufficient" in page


def test_what_is_not_known_says_why(store: Store, tmp_path: Path) -> None:
    _, page = pages(
        store, tmp_path / "out", status="unknown", answer="", reason="nothing stood [e1].", rows=()
    )
    assert "Not known" in page
    assert "nothing stood" in page
    assert "Numbers" not in page


def test_rows_of_one_measure_and_unit_share_an_axis() -> None:
    rows = [
        AnswerRow(component=UNIT, value=value, unit=unit, measure=measure)
        for value, unit, measure in (
            (1, "sd", "rise"),
            (2, "sd", "rise"),
            (3, "logits", "rise"),
            (4, "sd", "fall"),
        )
    ]
    found = groups(finding(1, rows=tuple(rows)))
    assert [(group.measure, group.unit, len(group.rows)) for group in found] == [
        ("rise", "sd", 2),
        ("rise", "logits", 1),
        ("fall", "sd", 1),
    ]
