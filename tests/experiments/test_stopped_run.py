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
from tests.conftest import CHECKOUT
from tests.labelling import ABSTAINED, Labelled, Place, label

SLOW = """
import time
from dataclasses import replace
import maieutic
from tools import door
from tools.tool import TOOLS

def slow(context, arguments):
    print("in hand", flush=True)
    time.sleep(120)

TOOLS["describe"] = replace(TOOLS["describe"], function=slow)
maieutic.main()
"""
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
    assert time.monotonic() - began < 30 and process.returncode == 130, err
    with open_store(place.store) as store:
        (run,) = store.queries.runs()
    assert run.status == "running" and "Traceback" not in err
    assert err.endswith(
        f"Interrupted.\nHint: go on with `maieutic label --resume {run.id} --store {place.store}`\n"
    )
    done = place.says("label", "--resume", run.id, "--json")
    assert (done.code, done.json["status"]) == (0, "done")


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
