"""The sandbox in processes: what a program can do in it, how it ends, and what is left of it afterwards."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.programs.limits import Bounds
from agent.programs.processes import Processes
from agent.programs.sandbox import Ended, Unanswered
from agent.programs.stubs import stubs
from tests.agent.weighing import WEIGH
from tests.conftest import CHECKOUT

pytestmark = pytest.mark.asyncio

QUICK = Bounds(seconds=1.0, grace=2.0)


class Asked:
    """Answers calls of `weigh`, and remembers them."""

    def __init__(self) -> None:
        self.calls: list[tuple[Sequence[Any], dict[str, Any]]] = []

    async def __call__(self, name: str, args: Sequence[Any], named: dict[str, Any]) -> Any:
        assert name == "weigh"
        self.calls.append((args, named))
        if "mauve" in (*args, *named.values()):
            raise Unanswered("`mauve` is not a known concept")
        return {"experiment": len(self.calls), "quantities": {"effect": {"value": 0.5, "n": 3}}}


async def ran(source: str, asked: Asked | None = None, sandbox: Processes | None = None) -> Ended:
    return await (sandbox or Processes(QUICK)).run(source, stubs([WEIGH]), ["weigh"], asked or Asked())


async def test_a_program_calls_tools_as_functions_and_prints_what_it_wants_to_be_seen() -> None:
    asked = Asked()
    ended = await ran(
        "found = {}\n"
        "for concept in ['red', 'blue']:\n"
        "    r = weigh('language.0.mlp.3', concept=concept)\n"
        "    found[concept] = r['quantities']['effect']['value'] + r['experiment']\n"
        "print(ranked(found), mean(list(found.values())))\n",
        asked,
    )
    assert ended == Ended("done", printed="[('blue', 2.5), ('red', 1.5)] 2.0\n")
    assert asked.calls == [(["language.0.mlp.3"], {"concept": c}) for c in ("red", "blue")]


async def test_a_refused_call_raises_where_it_was_made_and_may_be_caught() -> None:
    caught = await ran("try:\n    weigh('c', 'mauve')\nexcept ValueError as error:\n    print(error)")
    assert (caught.end, caught.printed) == ("done", "`mauve` is not a known concept\n")
    stopped = await ran("print(1)\nweigh('c', 'mauve')\nprint(2)")
    assert (stopped.end, stopped.line, stopped.printed) == ("error", 2, "1\n")
    assert stopped.told == "ValueError: `mauve` is not a known concept"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("x = 1\nweihg('c', 'red')", "line 2: Name `weihg` used when not defined (unresolved-reference)"),
        ("weigh('c')", "line 1: No argument provided for required parameter `concept`"),
        ("weigh('c', 3)", "line 1: Argument to function `weigh` is incorrect: Expected `str`, found"),
        ("weigh('c', concept='red', size=3)", "line 1: Argument `size` does not match any known parameter"),
        ("def f(:", "line 1: Expected a parameter or the end of the parameter list (invalid-syntax)"),
        ("import numpy", "line 1: Cannot resolve imported module `numpy` (unresolved-import)"),
    ],
)
async def test_what_does_not_fit_is_refused_with_line_and_rule_before_anything_runs(
    source: str, told: str
) -> None:
    asked = Asked()
    ended = await ran(source, asked)
    assert ended.end == "refused" and ended.told.startswith(told)
    assert (asked.calls, ended.printed) == ([], "")


async def test_a_word_that_may_be_right_is_left_to_the_call() -> None:
    asked = Asked()
    await ran("rows = [{'c': 'a', 'n': 3}]\nfor row in rows:\n    weigh(row['c'], 'red')", asked)
    assert asked.calls == [(["a", "red"], {})]


@pytest.mark.parametrize(
    ("source", "end"),
    [
        ("while True: pass", "limit"),
        ("x = 3\nwhile True: x = x * x", "crash"),
        ("a = []\nwhile True: a.append('x' * 1000)", "limit"),
        ("def f(n):\n    return f(n + 1)\nf(0)", "limit"),
        ("for i in range(60): weigh('c', str(i))", "limit"),
    ],
    ids=["time", "big integers", "memory", "depth", "calls"],
)
async def test_a_limit_ends_a_program_and_a_fresh_worker_serves_the_next(source: str, end: str) -> None:
    began = time.monotonic()
    assert (await ran(source)).end == end
    assert time.monotonic() - began < 30
    assert (await ran("print(40 + 2)")).printed == "42\n"


@pytest.mark.parametrize("source", ["('a' * 10**6).join(['b'] * 1000)", "''.join(['x' * 10**6] * 500)"])
async def test_memory_that_is_taken_at_once_ends_the_worker_and_is_told_as_a_limit(source: str) -> None:
    ended = await ran(source, sandbox=Processes(checked=False))
    assert ended.end == "limit" and "memory limit" in ended.told


FALSE_ALARMS = {
    "time": "TimeoutError('feed time limit exceeded: 500.07ms > 500ms')",
    "memory": "MemoryError('memory limit exceeded: 70000000 bytes > 4 bytes')",
    "worker": "MemoryError('the worker exceeded its memory limit and was terminated')",
    "nothing": "MemoryError()",
    "depth": "RecursionError('maximum recursion depth exceeded, or nearly')",
    "requests": "RuntimeError('suspension limit 400 exceeded')",
}


@pytest.mark.parametrize("alarm", FALSE_ALARMS.values(), ids=FALSE_ALARMS)
async def test_a_program_that_raises_what_a_limit_says_has_made_an_error(alarm: str) -> None:
    ended = await ran(f"x = 1\nraise {alarm}")
    assert (ended.end, ended.line) == ("error", 2)
    assert (await ran(f"try:\n    raise {alarm}\nexcept Exception:\n    print('caught')")).end == "done"


@pytest.mark.parametrize(
    "words", ["time limit", "memory limit", "suspension limit", "maximum recursion depth"]
)
async def test_a_limit_in_a_programs_or_a_tools_own_words_is_none(words: str) -> None:
    async def refuses(*_: Any) -> Any:
        raise Unanswered(f"the {words} of this tool is reached")

    assert (await ran(f"raise ValueError('{words}')")).end == "error"
    ended = await Processes(QUICK).run("weigh('c', 'red')", stubs([WEIGH]), ["weigh"], refuses)
    assert ended.end == "error" and words in ended.told


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("try:\n    while True: pass\nexcept BaseException: print('caught')", "time limit exceeded"),
        ("sum(range(10 ** 12))", "time limit exceeded"),
        ("try:\n    x = 'a' * 10 ** 9\nexcept BaseException: print('caught')", "memory limit exceeded"),
        ("a = []\nb = []\nfor _ in range(500):\n    a = [a]\n    b = [b]\nprint(a == b)", "recursion depth"),
        (
            "for _ in range(500):\n    try:\n        weight\n    except NameError:\n        pass",
            "suspension limit 400",
        ),
    ],
    ids=["time", "time in one expression", "memory", "depth of data", "requests"],
)
async def test_a_limit_of_the_interpreter_is_told_as_one_and_can_not_be_caught(
    source: str, told: str
) -> None:
    ended = await ran(source, sandbox=Processes(QUICK, checked=False))
    assert (ended.end, ended.printed) == ("limit", "") and told in ended.told


async def test_what_is_printed_is_cut_to_a_budget_and_the_rest_counted() -> None:
    ended = await ran("for i in range(100): print('x' * 99)", sandbox=Processes(Bounds(printed=250)))
    assert (len(ended.printed), ended.cut) == (250, 9_750)


async def test_only_plain_data_of_bounded_size_reaches_a_tool() -> None:
    nested = "a = []\nfor _ in range(50000): a = [a]\nweigh('c', a)"
    for source in (nested, "weigh('c', 10 ** 5000)", "weigh('c', float('nan'))", "weigh('c', 'x' * 20000)"):
        asked = Asked()
        ended = await ran(source, asked, Processes(QUICK, checked=False))
        assert (ended.end, asked.calls) == ("error", []) and ended.told.startswith("TypeError: weigh:")


async def test_what_asking_raises_ends_the_program_and_comes_through() -> None:
    async def broke(name: str, args: Sequence[Any], named: dict[str, Any]) -> Any:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        await Processes(QUICK).run("weigh('c', 'red')", stubs([WEIGH]), ["weigh"], broke)


async def test_the_same_program_sees_the_same_chance_and_no_clock() -> None:
    source = "import random\nprint(random.random(), {'b', 'a', 'zz'}, hash('a'))"
    assert (await ran(source)).printed == (await ran(source)).printed
    for clock in ("import time\nprint(time.time())", "import datetime\nprint(datetime.datetime.now())"):
        assert "is not supported" in (await ran(clock)).told


async def test_the_worker_has_neither_our_environment_nor_files_to_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CANARY", "sings")
    seen: list[tuple[str, str]] = []

    async def look(name: str, args: Sequence[Any], named: dict[str, Any]) -> Any:
        for pid in descendants(os.getpid()):
            folder = Path(f"/proc/{pid}")
            limits = (folder / "limits").read_text()
            seen.append(((folder / "comm").read_text().strip(), limits))
            assert "CANARY" not in (folder / "environ").read_text()
        return {"experiment": 1, "quantities": {}}

    await Processes(QUICK).run("weigh('c', 'red')", stubs([WEIGH]), ["weigh"], look)
    (worker,) = [limits for name, limits in seen if name == "monty"]
    files = next(line for line in worker.splitlines() if line.startswith("Max open files"))
    assert files.split()[3:5] == ["0", "0"]


async def test_a_program_that_is_cancelled_leaves_no_process_behind() -> None:
    task = asyncio.ensure_future(ran("while True: pass", sandbox=Processes(Bounds(seconds=30))))
    while not any(descendants(os.getpid())):
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    until = time.monotonic() + 20
    while (left := descendants(os.getpid())) and time.monotonic() < until:
        await asyncio.sleep(0.02)
    assert left == []


ENDLESS = """
import asyncio
from agent.programs.limits import Bounds
from agent.programs.processes import Processes
async def never(name, args, named): ...
asyncio.run(Processes(Bounds(seconds=1.0, grace=0.5)).run("while True: pass", "", [], never))
"""


async def test_when_we_are_killed_a_programs_processes_end_by_themselves() -> None:
    with subprocess.Popen([sys.executable, "-c", ENDLESS], cwd=CHECKOUT) as ours:
        while len(orphans := descendants(ours.pid)) < 2:
            await asyncio.sleep(0.05)
        ours.kill()
    until = time.monotonic() + 20
    while (left := [pid for pid in orphans if running(pid)]) and time.monotonic() < until:
        await asyncio.sleep(0.1)
    assert left == []


async def test_the_event_loop_goes_on_while_a_program_computes() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.ensure_future(tick())
    await ran("while True: pass")
    ticking.cancel()
    assert ticks > 10


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def descendants(pid: int) -> list[int]:
    """Living processes that this one began, or that they began."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(folder.name)] = int(fields[1])
    found, fresh = set[int](), {pid}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh} - found
        found |= fresh
    return sorted(found)
