"""A labelling run that is stopped from outside: by an impatient user, or by a disk that is full for everything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from store.database import open_store
from tests.agent.scripted_server import says, serving
from tests.conftest import CHECKOUT
from tests.labelling import ABSTAINED, IMAGES, Labelled, Place, label

PREPARED = """
import time
from dataclasses import replace
import maieutic
from tools import door
from tools.tool import TOOLS

def slow(context, arguments):
    print("in hand", flush=True)
    time.sleep(120)

TOOLS["describe"] = replace(TOOLS["describe"], function=slow)
"""
SLOW = f"{PREPARED}maieutic.main()"
SMALL = """
import resource
import maieutic
resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))
maieutic.main()
"""


@pytest.fixture
def place(labelled: Labelled, tmp_path: Path) -> Place:
    return Place(tmp_path, labelled.place.cache)


def begins(place: Place, program: str, *words: str) -> subprocess.Popen[str]:
    """Begins the command in a process that the program prepares."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *words],
        cwd=CHECKOUT,
        env=os.environ | place.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_second_interruption_stops_at_once_and_the_run_can_be_resumed(place: Place) -> None:
    process = begins(place, SLOW, *label(ABSTAINED))
    err = interrupted_twice(process)
    assert process.returncode == 130, err
    with open_store(place.store) as store:
        (run,) = store.queries.runs()
    assert run.status == "running" and "Traceback" not in err
    assert err.endswith(
        f"Interrupted.\nHint: go on with `maieutic label --resume {run.id} --store {place.store}`\n"
    )
    done = place.says("label", "--resume", run.id, "--json")
    assert (done.code, done.json["status"]) == (0, "done")


def test_a_second_interruption_of_a_question_stops_at_once_and_it_can_be_asked_again(place: Place) -> None:
    looks = says(("describe", {"component": ABSTAINED, "n": 20}))
    question = ("ask", "tableau-llava", "Does it have anything to do with hearts?", "--images", IMAGES)
    with serving(looks, says(("abstain", {"reason": "nobody can tell"}))) as endpoint:
        by = ("--planner", "openai:m", "--base-url", endpoint.url)
        process = begins(place, SLOW, *question, *by)
        err = interrupted_twice(process)
        assert process.returncode == 130 and "Traceback" not in err
        assert err.endswith("Interrupted.\nHint: ask again; what was measured is kept\n")
        with open_store(place.store) as store:
            (run,) = store.queries.runs()
            assert run.status == "running" and len(store.queries.payments(run.id)) == 1
        again = place.says(*question, *by, "--json")
    assert again.code == 0 and again.json["reason"] == "nobody can tell", again.err


def interrupted_twice(process: subprocess.Popen[str]) -> str:
    """What it still says after the second interruption, which comes when the first one was heard."""
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline() == "in hand\n", process.stderr.read()
    process.send_signal(signal.SIGINT)
    told = ""
    while "stopping" not in told:
        told = process.stderr.readline()
        assert told, "it ended without a word"
    assert told == "finishing what has begun and is paid for, then stopping; Ctrl-C again stops at once\n"
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - began < 30, "it waited for what it had begun"
    return err


def test_a_script_whose_study_is_interrupted_twice_ends_at_once_by_its_own_rules(place: Place) -> None:
    words = f"try:\n    study.label({ABSTAINED!r})\nfinally:\n    print('its own last word')"
    process = begins(place, f"{PREPARED}study = maieutic.Study(images={IMAGES!r})\n{words}")
    assert process.stdout is not None
    err = interrupted_twice(process)
    assert process.returncode == 130 and err.rstrip().endswith("KeyboardInterrupt"), err
    with open_store(place.store) as store:
        (run,) = store.queries.runs()
    assert run.status == "interrupted"
    assert place.says("label", "--resume", run.id, "--json").json["status"] == "done"


@pytest.mark.parametrize("own_cache", [True, False], ids=["cache", "store"])
def test_a_disk_that_is_full_for_everything_is_one_sentence_and_loses_nothing(
    place: Place, own_cache: bool
) -> None:
    """No file may grow beyond the limit, as on a full disk: of the caches in one case, of the store in the other."""
    if own_cache:
        place = Place(place.folder, place.folder / "cache")
    open_store(place.store).close()
    room = 1000 if own_cache else place.store.stat().st_size + 2**16
    if own_cache:
        room = max(room, place.store.stat().st_size)
    process = begins(place, SMALL.format(room=room), *label(ABSTAINED))
    _, err = process.communicate(timeout=300)
    assert process.returncode == 3 and "Traceback" not in err, err
    with open_store(place.store) as store:
        (run,) = store.queries.runs()
        kept = store.queries.experiments(run.id)
    assert f"go on with `maieutic label --resume {run.id} --store {place.store}`" in err
    assert err.splitlines()[-2].startswith("Error: ")
    done = place.says("label", "--resume", run.id, "--json")
    assert (done.code, done.json["status"]) == (0, "done"), done.err
    with open_store(place.store) as store:
        assert store.queries.experiments(run.id)[: len(kept)] == kept
