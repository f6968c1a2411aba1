"""Attempts to get out of the sandbox: a part of them here, all of them in `make prove`; and a sandbox that leaks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from agent.programs.limits import BOUNDS
from agent.programs.processes import Processes
from agent.programs.sandbox import Ended
from experiments.escapes.__main__ import LEAKY, RECORD, main, prover
from experiments.escapes.attempts import about, attempts
from experiments.escapes.leaky import Leaky
from experiments.escapes.proof import Prover, markdown
from experiments.escapes.watching import watched
from tests.conftest import CHECKOUT

EVERY = 10
"""One attempt of so many is made here."""
QUICK = replace(BOUNDS, seconds=0.4, grace=0.4, patience=2.0)
ROOMY = replace(QUICK, patience=12.0)
"""Room for a busy machine to begin a program in."""


@pytest.fixture(scope="module")
def made(committed_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prover]:
    with prover(tmp_path_factory.mktemp("escapes")) as prepared:
        prepared.bounds = ROOMY
        yield prepared


@pytest.fixture(scope="module")
def unguarded(committed_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prover]:
    with prover(tmp_path_factory.mktemp("ajar"), ajar=True) as prepared:
        prepared.bounds = QUICK
        yield prepared


@pytest.mark.parametrize("part", [{"only": "files"}, {"ways": LEAKY}])
def test_some_of_the_attempts_never_replace_the_record_of_all(part: dict[str, str]) -> None:
    with pytest.raises(typer.BadParameter, match="a file of their own"):
        main(output=RECORD, **part)


def test_a_family_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="no family is called `rust`"):
        main(output=tmp_path / "rust.json", only="rust")


def test_there_are_more_than_150_attempts_of_every_kind() -> None:
    count = Counter(one.family for one in attempts())
    assert count.total() >= 150 and min(count.values()) >= 10
    assert set(count) == set(about()) and all(about().values())
    assert len({(one.family, one.name) for one in attempts()}) == count.total()


@pytest.mark.parametrize("family", sorted(about()))
def test_what_tries_to_get_out_does_not_and_the_next_program_is_served(made: Prover, family: str) -> None:
    sandbox = Processes(ROOMY, checked=False)
    for attempt in attempts(family)[::EVERY]:
        found = made.attempt(attempt, "unchecked", sandbox)
        assert (found.through, found.recovered) == ((), True), attempt.name


@pytest.mark.parametrize(
    ("family", "name", "seen"),
    [
        ("files", "open-read", "the file"),
        ("files", "write", "a changed file"),
        ("files", "rename", "a changed file"),
        ("environment", "os-environ-key", "the environment"),
        ("network", "socket", "a call to the port"),
        ("processes", "subprocess", "the file"),
        ("dunder", "sys-getframe", "a module"),
        ("imports", "runpy", "a module"),
        ("imports", "sqlite", "the store"),
        ("decoded", "base64", "the environment"),
        ("processes", "kill-parent", "a signal to us"),
        ("time", "loop", "time"),
        ("arguments", "image-path", "a picture of the machine"),
        ("arguments", "other-picture", "another run's picture"),
        ("arguments", "other-experiment", "another run's picture"),
        ("sealed", "look-test", "a picture of test/"),
        ("sealed", "look-select", "a picture of select/"),
        ("sealed", "sealed-prefix", "a sealed picture"),
    ],
)
def test_the_same_attempts_get_through_where_nothing_holds_them(
    unguarded: Prover, family: str, name: str, seen: str
) -> None:
    (attempt,) = [one for one in attempts(family) if one.name == name]
    found = unguarded.attempt(attempt, "leaky", Leaky(QUICK, unguarded.canaries.words["a module"]))
    assert seen in found.through


def test_a_forged_answer_that_a_program_got_is_heard(made: Prover) -> None:
    forged = made.canaries.places["FORGED"]
    assert made.canaries.seen(Ended("done", printed=f"{forged}\n"), [], []) == ["a forged answer"]
    assert made.canaries.seen(Ended("done", printed=f'{{"value": "{forged}"}}\n'), [], []) == []


def test_memory_of_what_runs_and_processes_that_are_left_are_seen() -> None:
    with watched() as taken:
        words = "import time; held = b'x' * 10 ** 8; time.sleep(1)"
        with subprocess.Popen([sys.executable, "-c", words]) as child:
            child.wait()
        left = subprocess.Popen(["sleep", "60"])
    left.kill()
    left.wait()
    assert (taken.memory or 0) > 10**8 and taken.left == 1


def test_a_process_is_seen_that_outlives_the_one_that_began_it() -> None:
    words = (
        "import subprocess, time; quiet = subprocess.DEVNULL; "
        "left = subprocess.Popen(['sleep', '60'], start_new_session=True, stdout=quiet, stderr=quiet); "
        "print(left.pid, flush=True); time.sleep(1)"
    )
    with watched() as taken:
        done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    os.kill(int(done.stdout), signal.SIGKILL)
    assert taken.left == 1


def test_on_record_none_of_150_attempts_got_through_and_the_page_shows_that_record() -> None:
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    held = [one for one in record["each"] if one["way"] != LEAKY]
    made = {(one["family"], one["name"]) for one in held}
    assert len(made) >= 150 and made <= {(one.family, one.name) for one in attempts()}
    assert {family for family, _ in made} == set(about())
    assert all(one["through"] == [] and one["recovered"] for one in held)
    page = (CHECKOUT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    assert "\n".join(markdown(record["families"])) in page
