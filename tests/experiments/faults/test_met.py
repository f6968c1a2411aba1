"""A fault of a machine counts as met when a process was found struck or said so itself, not when it was armed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.faults import machine
from experiments.faults.machine import CLOCK, FAULTS, HEARD, MARK, SMALL, interrupted, killed, slept
from experiments.faults.rows import marked, prepared
from experiments.faults.trial import Place

DEAF = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)"
STOPS = f"{HEARD}\ntry:\n    print(flush=True)\n    input()\nexcept KeyboardInterrupt:\n    exit(130)"
WAITS = "print(flush=True)\ninput()"


def begun(lines: str) -> subprocess.Popen[str]:
    """A process that has run these lines, or as many of them as it does before it waits."""
    process = subprocess.Popen(
        [sys.executable, "-c", lines], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    process.stdout.readline()
    return process


@pytest.mark.parametrize("strike", [killed, interrupted, slept])
def test_a_process_that_has_ended_before_was_not_struck(
    strike: Callable[[subprocess.Popen[str]], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "LID", 0.1)
    with begun("pass") as process:
        process.wait()
        assert strike(process) is False


def test_a_process_that_goes_on_to_its_end_was_not_interrupted() -> None:
    with begun(f"{DEAF}\nprint(flush=True)\nimport time\ntime.sleep(0.3)") as process:
        assert interrupted(process) is False


@pytest.mark.parametrize(("strike", "lines"), [(killed, WAITS), (interrupted, STOPS), (slept, WAITS)])
def test_a_process_that_is_ended_or_stopped_was_struck(
    strike: Callable[[subprocess.Popen[str]], bool], lines: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "LID", 0.1)
    with begun(lines) as process:
        assert strike(process) is True
        process.kill()


@pytest.mark.parametrize(
    ("prelude", "little", "much"),
    [
        (SMALL, "open(1, 'w').write('x')", "open('large', 'w').write('x' * 10**6)"),
        (CLOCK.replace("AHEAD", "9.0"), "time.time()", "[time.time() for _ in range(40)]"),
    ],
)
def test_a_process_says_itself_when_its_disk_is_full_or_its_clock_jumps(
    tmp_path: Path, prelude: str, little: str, much: str
) -> None:
    place = Place(tmp_path, tmp_path)
    place.store.touch()
    for lines, told in ((little, False), (much, True)):
        whole = f"{prepared(prelude, place)}\n{lines}"
        subprocess.run([sys.executable, "-c", whole], cwd=tmp_path, capture_output=True, check=False)
        assert marked(place).is_file() is told


def test_every_fault_of_another_process_is_seen_to_strike_or_says_so() -> None:
    others = [fault for fault in FAULTS if not fault.inside]
    assert others and all(fault.strike or MARK in fault.prelude for fault in others)
