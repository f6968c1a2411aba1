"""Kill the process anywhere: everything acknowledged is in the store, nothing is doubled, and it goes on."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from store.database import open_store
from tests.conftest import CHECKOUT
from tests.store.records import TARGET, UNIT, begin

KILLS = 5


def test_what_was_acknowledged_survives_every_kill_and_nothing_is_doubled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAIEUTIC_ARTIFACTS", raising=False)
    where = tmp_path / "store.db"
    with open_store(where) as store:
        run = begin(store, TARGET)
    chance = random.Random(7)
    numbers: dict[str, int] = {}
    known = 0
    for _ in range(KILLS):
        lines = record_until_killed(where, run, known + chance.randint(1, 8), chance.uniform(0, 0.05))
        known = len(lines)
        with open_store(where) as store:
            recorded = store.queries.experiments(run)
            places = {f"{e.step}.{e.call}": e.number for e in recorded}
            assert len(places) == len(recorded)
            assert [e.arguments for e in recorded] == [{"step": e.step, "call": e.call} for e in recorded]
            decided = [step.step for step in store.queries.steps(run, UNIT)]
            assert decided == list(range(len(decided)))
            for kind, *rest in lines:
                if kind == "e":
                    place, number = rest[0], int(rest[1])
                    assert places[place] == number == numbers.setdefault(place, number)
                elif kind == "s":
                    assert int(rest[0]) in decided
                else:
                    assert hashlib.sha256(store.artifacts.get(rest[0])).hexdigest() == rest[0]
            assert len(recorded) <= 2 * len(decided)
    assert len(numbers) >= KILLS


def record_until_killed(where: Path, run: str, count: int, seconds: float) -> list[list[str]]:
    """What the process acknowledged before SIGKILL, which comes some seconds after `count` lines."""
    command = [sys.executable, "-m", "tests.store.recording", str(where), run]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(count)]
        time.sleep(seconds)
        process.kill()
        lines += process.stdout.readlines()
    return [line.split() for line in lines if line.endswith("\n")]
