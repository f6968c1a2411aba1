"""A thread is told turn by turn: what was thought, judged, proposed, asked, found, seen, refused and said last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reports.record import Thread, read_thread
from reports.story import Line, as_text, brought, given, story, told
from reports.transcript import CallMade
from store.database import open_store
from tests.reports.conftest import Written
from tests.reports.filled import VERIFIED, decide, fill, measure
from tests.reports.test_shapes import experiment


@pytest.fixture(scope="module")
def thread(report: Written) -> Thread:
    return read_thread(report.store, report.run, VERIFIED)


def kinds(lines: tuple[Line, ...]) -> list[str]:
    return [line.kind for line in lines]


def test_a_turn_tells_its_thought_then_verdicts_then_what_it_proposed_and_asked(thread: Thread) -> None:
    first, second, third, *_ = story(thread)
    assert kinds(first.lines)[:3] == ["thought", "call", "number"] and first.lines[0].told.startswith("Begin")
    assert kinds(second.lines)[:3] == ["hypothesis"] * 3
    assert second.lines[0].told.startswith("h1: ") and "Refuted by: " in second.lines[0].told
    assert kinds(third.lines)[:2] == ["verdict"] * 2
    assert third.lines[0].told.startswith("h1 supported by e") and third.lines[0].told.endswith(
        "2.41 [2.12, 2.70]"
    )


def test_a_refused_call_says_why_in_its_place(thread: Thread) -> None:
    lines = story(thread)[1].lines
    place = next(place for place, line in enumerate(lines) if line.told.startswith("tell("))
    assert lines[place + 1] == Line("refusal", "`tell` is not a tool; did you mean `patch`?")


def test_a_number_comes_with_its_interval_n_and_control_and_alone_where_it_says_all(thread: Thread) -> None:
    effect = {"value": 1.5, "unit": "sd", "ci": [1.25, 1.75], "n": 64, "control": 0.2}
    area = {"value": 0.9, "unit": "AUROC", "ci": [0.85, 0.95], "n": 64, "control": 0.5}
    assert told(experiment(1, {"quantities": {"auroc": area, "effect": effect}})) == (
        "effect 1.50 [1.25, 1.75] sd (n = 64, control 0.20)"
    )
    assert (
        told(experiment(1, {"quantities": {"auroc": area}}))
        == "AUROC 0.90 [0.85, 0.95] (n = 64, control 0.50)"
    )
    assert told(experiment(1, {})) == ""


def test_what_a_look_asked_for_is_told_by_why_and_other_calls_by_what_they_are_about() -> None:
    look = CallMade("look", {"pictures": ["3fa90c12be"], "why": "what is hot"}, 3)
    assert given(look, VERIFIED) == "“what is hot”"
    call = CallMade("activations", {"component": VERIFIED, "concept": "red | blue", "n": 64}, 4)
    assert given(call, VERIFIED) == "concept red | blue"


def test_a_look_brings_all_its_pictures_and_other_experiments_a_few_of_the_first_kind(tmp_path: Path) -> None:
    with open_store(tmp_path / "store.db") as store:
        run = fill(store)
        rows = read_thread(store, run, VERIFIED).shown[0].result["exemplars"]
        seen: dict[str, Any] = {
            "exemplars": [{"key": "a", "image": row["image"], "tail": "seen"} for row in rows[:6]]
        }
        decide(store, run, VERIFIED, 7, calls=["look"])
        number = measure(store, run, VERIFIED, 7, 0, "look", seen)
        found = read_thread(store, run, VERIFIED)
    assert brought(found)[number].asked and len(brought(found)[number].pictures) == 6
    first = brought(found)[found.shown[0].number]
    assert (
        not first.asked and {one.told for one in first.pictures} == {"highest"} and len(first.pictures) == 4
    )


def test_in_a_terminal_every_line_has_the_mark_of_its_kind(thread: Thread) -> None:
    lines = list(as_text(story(thread)))
    assert lines[:2] == ["turn 1: asked for 1 experiment", "  “ Begin with what it fires on."]
    assert {line[2] for line in lines if line.startswith("  ")} >= set("“?>=#!×")


def test_a_page_tells_the_same_turns_with_links_pictures_and_what_the_sealed_test_said(
    report: Written, thread: Thread
) -> None:
    page = report.page(VERIFIED)
    told_there = page[page.index('id="transcript"') :]
    for chapter in story(thread):
        assert f'id="step{chapter.turn.number}"' in told_there
    assert 'href="#h1"' in told_there and "effect 2.41 [2.12, 2.70]" in told_there
    assert told_there.count('class="seen"') >= 2 and "the sealed test, opened once" in told_there
    assert "ρ = 0.78" in told_there
