"""Commands that read the store: what was found is found again, quickly, and without any model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from store.database import open_store
from tests.conftest import CHECKOUT
from tests.labelling import ABSTAINED, DESCRIBED, Labelled, Place
from tests.reports.filled import HEAD, fill

COMPONENT = ["show", "component", DESCRIBED]


@pytest.fixture
def place(labelled: Labelled) -> Place:
    return labelled.place


@pytest.fixture
def nowhere(tmp_path: Path) -> Place:
    """A place whose store is empty."""
    open_store(tmp_path / "store.db").close()
    return Place(tmp_path, tmp_path / "cache")


def test_a_component_is_shown_as_the_run_printed_it(labelled: Labelled, place: Place) -> None:
    found = labelled.said.json["descriptions"]
    assert place.says(*COMPONENT, "--json").json == found[0]
    shown = place.says(*COMPONENT).out
    assert (
        shown.startswith(f"{DESCRIBED}: {found[0]['status']}, “{found[0]['label']}”")
        and found[0]["text"] in shown
    )
    assert "selective: yes" in shown
    assert place.says("show", "component", ABSTAINED).out.startswith(f"{ABSTAINED}: abstained\n")


def test_a_head_is_shown_with_what_its_claims_are_about_and_their_test(nowhere: Place) -> None:
    with open_store(nowhere.store) as store:
        fill(store)
    told = nowhere.says("show", "component", HEAD).out
    assert "  reads picture: yes, on test 0.70 [0.64, 0.75], null 0.11" in told
    assert "  writes color: yes, on test 0.86" in told


def test_a_run_shows_every_component_whatever_became_of_it(labelled: Labelled, place: Place) -> None:
    said = place.says("show", "run", labelled.run, "--json").json
    assert said["descriptions"] == labelled.said.json["descriptions"] and said["waiting"] == []
    table = place.says("show", "run", labelled.run).out
    assert DESCRIBED in table and ABSTAINED in table and "abstained" in table
    assert labelled.run in {one["id"] for one in place.says("show", "runs", "--json").json["runs"]}


def test_an_experiment_is_shown_by_the_number_that_a_text_cites(labelled: Labelled, place: Place) -> None:
    number = labelled.said.json["descriptions"][0]["evidence"][0]
    said = place.says("show", "experiment", f"e{number}", "--json").json
    assert (said["number"], said["run"], said["thread"]) == (number, labelled.run, DESCRIBED)
    assert place.says("show", "experiment", str(number)).out.startswith(f"e{number}: ")


def test_words_are_found_where_they_stand(labelled: Labelled, place: Place) -> None:
    label = labelled.said.json["descriptions"][0]["label"]
    said = place.says("search", label, "--limit", "3", "--json").json
    assert 1 <= len(said["hits"]) <= 3
    assert (said["hits"][0]["kind"], said["hits"][0]["thread"]) == ("description", DESCRIBED)
    assert place.says("search", "zebra crossing", "--json").json["hits"] == []


def test_a_report_is_written_from_the_store_alone(labelled: Labelled, place: Place, tmp_path: Path) -> None:
    said = place.says("report", labelled.run, "-o", str(tmp_path / "pages"), "--json")
    page = Path(said.json["path"])
    assert said.code == 0 and DESCRIBED in page.read_text(encoding="utf-8")
    assert len(list((page.parent / "components").glob("*.html"))) == 2


def test_every_row_is_exported_as_a_line_of_json(place: Place, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in place.says("export").out.splitlines()]
    assert {"run", "experiment", "description", "score", "verdict"} <= {line["table"] for line in lines}
    file = tmp_path / "rows.jsonl"
    assert place.says("export", "-o", str(file), "--json").json == {"path": str(file), "rows": len(lines)}
    assert [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] == lines


@pytest.mark.parametrize(
    ("words", "code", "kind"),
    [
        (["show", "run"], 1, "run"),
        (["show", "run", "nosuch"], 1, "run"),
        (["report"], 1, "run"),
        (["report", "nosuch"], 1, "run"),
        (["show", "component", "language.3.mlp.17"], 1, "unknown"),
        (["show", "component", "neuron 17"], 1, "address"),
        (["show", "experiment", "e1"], 1, "experiment"),
        (["show", "experiment", "first"], 2, "usage"),
        (["export", "-o", "{folder}/no/such/file"], 1, "output"),
        (["export"], 2, "usage"),
        (["show", "runs", "--store", "{folder}"], 1, "store-folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_not_there_is_one_json_object_with_a_hint(
    nowhere: Place, words: list[str], code: int, kind: str
) -> None:
    said = nowhere.says(*(word.format(folder=nowhere.folder) for word in words), "--json")
    assert (said.code, said.json["error"]["kind"]) == (code, kind)
    assert said.json["error"]["hint"] and said.err.startswith("Error: ")


@pytest.mark.parametrize(
    "words",
    [
        ["label", "--help"],
        ["run", "--help"],
        ["search", "heart"],
        ["show", "runs"],
        ["show", "run"],
        COMPONENT,
        ["show", "experiment", "e1"],
        ["show", "tools"],
        ["report", "-o", "{folder}"],
        ["export", "-o", "{folder}/rows.jsonl"],
    ],
    ids=" ".join,
)
def test_reading_imports_no_torch(place: Place, words: list[str], tmp_path: Path) -> None:
    program = f"""
import sys
from experiments.commands.app import run
assert run({[word.format(folder=tmp_path) for word in words]!r}) == 0
heavy = {{"torch", "transformers"}} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=CHECKOUT,
        env=place.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
