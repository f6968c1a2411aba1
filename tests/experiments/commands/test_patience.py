"""`--timeout` and `--retries`: how long and how often a language model is asked, whichever command asks it."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import pytest

from experiments.commands.ending import resume_command
from experiments.commands.workplaces import Service
from tests.agent.scripted_server import Endpoint, Reply, serving
from tests.labelling import ABSTAINED, IMAGES, Labelled, Place, label

BUSY = Reply({"error": {"message": "busy"}}, 429)
SILENT = Reply("too late", delay=30.0)
PLANNER = ("--planner", "openai:scripted")
COMMANDS = {
    "label": (label(ABSTAINED, *PLANNER), 3),
    "ask": (("ask", "tableau-llava", "do any two go together?", "--images", IMAGES, *PLANNER), 1),
    "bench truth": (
        ("bench", "truth", "--units", "11", "--no-planted", "--images", IMAGES, *PLANNER),
        1,
    ),
    "run": (
        ("run", "describe", "-s", f"component={ABSTAINED}", "--images", IMAGES, "--describer", "patience"),
        1,
    ),
}
"""Each with the exit code of a language model that never answers."""


@pytest.fixture
def place(labelled: Labelled, tmp_path: Path) -> Place:
    return Place(tmp_path, labelled.place.cache)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_busy_endpoint_is_asked_again_as_often_as_was_said(place: Place, command: str) -> None:
    words, code = COMMANDS[command]
    with serving(BUSY) as endpoint:
        said = place.says(*words, "--base-url", endpoint.url, "--retries", "1", "--json")
    assert (said.code, said.json["error"]["kind"]) == (code, "endpoint"), said.err
    assert times(endpoint) == {2}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_silent_endpoint_is_waited_for_as_long_as_the_environment_says(
    place: Place, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, code = COMMANDS[command]
    monkeypatch.setenv("MAIEUTIC_TIMEOUT", "1")
    monkeypatch.setenv("MAIEUTIC_RETRIES", "0")
    with serving(SILENT) as endpoint:
        said = place.says(*words, "--base-url", endpoint.url, "--json")
        read = time.monotonic() + 30
        while not endpoint.requests and time.monotonic() < read:
            time.sleep(0.01)  # what was sent may be read later than it was given up
    assert (said.code, said.json["error"]["kind"]) == (code, "endpoint"), said.err
    assert "did not answer" in said.json["error"]["message"] and times(endpoint) == {1}


def times(endpoint: Endpoint) -> set[int]:
    """How often each question was asked; a describer puts several at once."""
    return set(Counter(map(json.dumps, endpoint.requests)).values())


def test_the_command_that_resumes_says_how_patient_to_be() -> None:
    told = resume_command(
        "label", "--resume", "abc", service=Service("http://here/v1", retries=9), store="s.db"
    )
    assert (
        told == "go on with `maieutic label --resume abc --store s.db --base-url http://here/v1 --retries 9`"
    )
