"""`audit`: findings, page and JSON that say the same; an audit that goes on; refusals with the way out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from store.audits import Audit, kept
from store.database import open_store
from tests.labelling import Place, Said
from tests.reports.html import Page

WORDS = ("audit", "tableau-llava", "--topic", "text-dominance", "--n", "8", "--seed", "321")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("audit")
    return Place(folder, folder / "cache")


@pytest.fixture(scope="module")
def said(place: Place, committed_weights: Path) -> Said:
    return place.says(*WORDS, "-o", str(place.folder / "pages"), "--json")


def test_the_json_keeps_the_contract_and_its_schema(said: Said, place: Place) -> None:
    found = Audit.model_validate(said.json)
    assert said.code == 0 and {one.topic for one in found.findings} == {"text-dominance"}
    for finding in said.json["findings"]:
        assert {"topic", "claim", "kind", "effect", "ci", "n", "control", "evidence"} <= set(finding)
    schema = json.loads((place.folder / "pages" / "audit.schema.json").read_text())
    assert schema == Audit.model_json_schema() and set(schema["required"]) <= set(said.json)
    assert json.loads((place.folder / "pages" / "audit.json").read_text()) == said.json


def test_the_page_says_what_the_json_says_without_scripts(said: Said) -> None:
    page = Page(Path(said.json["report"]))
    assert said.json["summary"] in page.says and "script" not in page.tags
    for finding in said.json["findings"]:
        assert finding["claim"].replace("`", "") in page.says and finding["shows_not"] in page.says
    assert {link for link in page.links if link.startswith("#e")} <= {f"#{one}" for one in page.ids}
    assert len(page.ids) == len(set(page.ids))


def test_every_finding_lost_or_stood_against_a_hypothesis_that_was_on_record(
    said: Said, place: Place
) -> None:
    with open_store(place.store) as store:
        proposed = store.queries.hypotheses(said.json["run"], "question")
        assert [one.hypothesis.statement for one in proposed] == [
            one["claim"] for one in said.json["findings"]
        ]
        assert all(one.verdicts and one.hypothesis.refuter for one in proposed)
        assert kept(store.access, said.json["run"]) == Audit.model_validate(said.json).findings


def test_an_audit_that_goes_on_asks_nothing_twice_and_finds_the_same(said: Said, place: Place) -> None:
    again = place.says("audit", "--resume", said.json["run"], "-o", str(place.folder / "again"), "--json")
    assert again.code == 0 and again.json["findings"] == said.json["findings"]
    with open_store(place.store) as store:
        assert len(store.queries.experiments(said.json["run"])) == len(said.json["findings"])


def test_an_audits_run_has_pages_as_other_runs_have(said: Said, place: Place) -> None:
    told = place.says("report", said.json["run"], "-o", str(place.folder / "site"), "--json")
    assert told.code == 0 and Page(Path(told.json["path"])).says


def test_a_spent_budget_keeps_what_was_measured(place: Place, said: Said) -> None:
    short = place.says(*WORDS, "--max-forwards", "10", "-o", str(place.folder / "short"), "--json")
    assert short.code == 4 and short.json["status"] == "budget"
    assert [one["name"] for one in short.json["findings"]] == [said.json["findings"][0]["name"]]
    assert "budget" in short.json["unmeasured"][0]["reason"]
    again = place.says("audit", "--resume", short.json["run"], "--json")
    assert again.code == 1 and "was concluded when its budget was spent" in again.json["error"]["message"]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["tableau-llava", "--topic", "manners"], 2, "`manners` is not a topic of audits"),
        ([], 2, "`TARGET` is missing"),
        (["tableau-clip"], 1, "answers no questions"),
        (["tableau-llava", "--questions", "nowhere.jsonl"], 1, "`.*nowhere.jsonl` is no file of questions"),
        (["--resume", "nosuch"], 1, "nosuch"),
    ],
)
def test_bad_input_is_one_sentence_and_an_exit_code(
    place: Place, words: list[str], code: int, told: str
) -> None:
    answered = place.says("audit", *words, "--json")
    assert answered.code == code
    assert re.search(told, answered.json["error"]["message"]) and answered.json["error"]["hint"]


def test_ones_own_questions_are_audited_and_what_needs_edits_is_said_to(tmp_path: Path, said: Said) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    lines = []
    for number in range(60):
        color = ("red", "blue")[number % 2]
        Image.new("RGB", (112, 112), (number * 4, 0, 0) if color == "red" else (0, 0, number * 4)).save(
            folder / f"{number}.png"
        )
        lines.append({"file_name": f"{number}.png", "question": "what is the background ?", "answer": color})
    file = tmp_path / "asked.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    place = Place(tmp_path, tmp_path / "cache")
    words = ("audit", "tableau-llava", "--topic", "spurious,text-dominance", "--n", "8")
    own = place.says(
        *words, "--images", str(folder), "--questions", str(file), "-o", str(tmp_path / "p"), "--json"
    )
    assert own.code == 0, own.err
    assert [one["name"] for one in own.json["findings"]] == ["sentence against picture"]
    assert own.json["unmeasured"][0]["topic"] == "spurious"
