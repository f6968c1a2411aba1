"""`maieutic run program FILE`: what it prints and records, and what it says of programs that do not work out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from store.database import open_store
from tests.agent.scripted_server import Body, Reply, says, serving
from tests.labelling import DESCRIBED, IMAGES, Labelled, Place
from tools.context import ToolContext
from tools.tool import TOOLS, Result

EACH = """
for number in range(2):
    r = vocabulary_effect(f"language.3.mlp.{number}", k=5)
    print(r["experiment"], round(r["quantities"]["strength"]["value"], 3))
"""


@pytest.fixture
def place(labelled: Labelled, tmp_path: Path) -> Place:
    return Place(tmp_path, labelled.place.cache)


def program(place: Place, text: str) -> str:
    path = place.folder / "program.py"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_program_of_ones_own_is_recorded_call_by_call_and_replays(place: Place) -> None:
    said = place.says("run", "program", program(place, EACH), "--images", IMAGES, "--json")
    assert said.code == 0
    told = said.json
    assert (told["end"], told["cut"]) == ("done", 0)
    first, second = told["experiments"]
    assert [(one["thread"], one["step"], one["call"]) for one in (first, second)] == [
        ("direct", 0, 0),
        ("direct", 0, 1),
    ]
    value = round(first["result"]["quantities"]["strength"]["value"], 3)
    assert told["printed"].startswith(f"{first['number']} {value}\n")
    with open_store(place.store) as store:
        (run,) = store.queries.runs()
        assert (run.id, run.status) == (told["run"], "done")
        program_row, end_row = store.queries.steps(run.id, "direct")
        assert program_row.decision["source"] == EACH and end_row.decision["printed"] == told["printed"]
    assert "the same" in place.says("replay", f"e{second['number']}").out


def test_without_json_it_prints_what_the_program_prints(place: Place) -> None:
    said = place.says("run", "program", program(place, "print(median([3, 1, 2]))"))
    assert (said.out, said.code) == ("2\n", 0)


@pytest.mark.parametrize(
    ("text", "code", "kind", "told", "hint"),
    [
        (
            "def f(:",
            1,
            "program-refused",
            "was not run: line 1: Expected a parameter",
            "mend that line",
        ),
        (
            'x = 1\nablate("language.3.mlp.1", mode="men")',
            1,
            "program-refused",
            'line 2: Argument to function `ablate` is incorrect: Expected `Literal["mean", "zero", "resample"]`',
            "`maieutic show tools`",
        ),
        ("x = 1 / 0", 1, "program-error", "line 1: ZeroDivisionError: division by zero", "mend that line"),
        ("'x' * 10 ** 10", 1, "program-limit", "memory limit exceeded", "hold 64 MiB"),
    ],
    ids=["syntax", "types", "error", "limit"],
)
def test_a_program_that_does_not_work_out_gets_one_line_and_no_traceback(
    place: Place, text: str, code: int, kind: str, told: str, hint: str
) -> None:
    said = place.says("run", "program", program(place, text), "--json")
    error = said.json["error"]
    assert (said.code, error["kind"]) == (code, kind)
    assert told in error["message"] and hint in error["hint"] and "\n" not in error["message"]
    assert "Traceback" not in said.err
    assert not place.store.exists()


def test_what_was_measured_before_an_error_is_kept_and_named(place: Place) -> None:
    text = 'print(1)\nvocabulary_effect("language.3.mlp.0", k=5)\nvocabulary_effect("language.9.mlp.0")'
    said = place.says("run", "program", program(place, text), "--images", IMAGES)
    assert (said.code, said.out) == (1, "1\n")
    assert "line 3: ValueError:" in said.err and "has 6 language layers" in said.err
    assert "e1 are kept" in said.err
    with open_store(place.store) as store:
        (run,) = store.queries.runs()
        assert run.status == "failed" and len(store.queries.experiments(run.id)) == 1


def test_an_interrupted_program_is_recorded_as_such_and_what_it_measured_is_kept(place: Place) -> None:
    busy = 'vocabulary_effect("language.3.mlp.0", k=5)\nwhile True:\n    pass'
    process = place.begins("run", "program", program(place, busy), "--images", IMAGES)
    while not measured(place) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err, err
    with open_store(place.store) as store:
        (run,) = store.queries.runs()
        assert (run.status, len(store.queries.experiments(run.id))) == ("interrupted", 1)


def shown(body: Body) -> int:
    return sum(part["type"] == "image_url" for part in body["messages"][0]["content"])


def describing(place: Place, url: str) -> tuple[str, ...]:
    """A program that has pictures put into words, by eyes of its own: what was said is kept beside them."""
    path = program(place, f'print(describe("{DESCRIBED}", n=20)["experiment"])')
    eyes = ("--describer", f"openai:eyes-{os.getpid()}-{place.folder.name}")
    return "run", "program", path, "--images", IMAGES, *eyes, "--base-url", url, "--retries", "0"


def test_a_program_may_ask_a_describer_behind_an_endpoint(place: Place) -> None:
    def tells(body: Body) -> Reply:
        return says(content=json.dumps([["red", "heart"]] * shown(body)))

    with serving(tells) as endpoint:
        said = place.says(*describing(place, endpoint.url), "--json")
    assert said.code == 0, said.err
    assert said.json["printed"] == f"{said.json['experiments'][0]['number']}\n" and endpoint.requests


@pytest.mark.parametrize("presses", [1, 2])
def test_interrupted_at_an_endpoint_it_waits_for_the_answer_and_the_second_time_for_nothing(
    place: Place, presses: int
) -> None:
    asked, answer = threading.Event(), threading.Event()

    def waits(body: Body) -> Reply:
        asked.set()
        answer.wait(60)
        return says(content=json.dumps([["red", "heart"]] * shown(body)))

    with serving(waits) as endpoint:
        process = place.begins(*describing(place, endpoint.url))
        assert asked.wait(60)
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGINT) if presses == 2 else answer.set()
        _, err = process.communicate(timeout=30)
        answer.set()
    assert process.returncode == 130 and "Traceback" not in err and "Interrupted." in err, err
    with open_store(place.store) as store:
        (run,) = store.queries.runs()
        found = (run.status, len(store.queries.experiments(run.id)))
    assert found == (("interrupted", 1) if presses == 1 else ("running", 0))


def measured(place: Place) -> int:
    if not place.store.is_file():
        return 0
    with open_store(place.store) as store:
        return len(store.queries.experiments())


def test_an_interrupted_experiment_is_recorded_as_such(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(context: ToolContext, arguments: Any) -> Result:
        raise KeyboardInterrupt

    monkeypatch.setitem(TOOLS, "ablate", replace(TOOLS["ablate"], function=interrupted))
    said = place.says("run", "ablate", "--images", IMAGES, "-s", "component=language.3.mlp.0")
    assert said.code == 130
    with open_store(place.store) as store:
        assert [run.status for run in store.queries.runs()] == ["interrupted"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nowhere.py"], "`nowhere.py` can't be read"),
        ([], "`tableau-llava` can't be read"),
        (["x.py", "-s", "n=3"], "a program takes no `--set`"),
    ],
)
def test_a_missing_file_and_words_that_do_not_fit_are_usage(
    place: Place, words: list[str], told: str
) -> None:
    said = place.says("run", "program", *words)
    assert said.code == 2 and told in said.err


def test_a_second_target_is_one_word_too_many(place: Place) -> None:
    words = ("run", "top_exemplars", "tableau-llava", "more", "-s", "component=language.3.mlp.1")
    said = place.says(*words)
    assert said.code == 2 and "`more` is one word too many" in said.err
