"""The bench: one thread, first come, first served, and many threads of thought in front of it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from agent.bench import Bench
from agent.checkpoints import open_checkpoints
from agent.decision import Conclusion
from agent.graph import run_thread
from store.address import Address
from tests.agent.weighing import WEIGH, Scripted, conclusion, weigh_red
from tests.conftest import CHECKOUT
from tools.budget import Budget
from tools.context import ToolContext
from tools.rounds import ask, elsewhere


@pytest.mark.asyncio
async def test_all_work_is_done_on_one_thread_in_the_order_of_asking() -> None:
    done: list[int] = []

    def work(place: int) -> int:
        done.append(place)
        return threading.get_ident()

    with Bench() as bench:
        threads = await asyncio.gather(*(bench.submit(partial(work, place)) for place in range(5)))
    assert done == [0, 1, 2, 3, 4] and len(set(threads)) == 1 and threads[0] != threading.get_ident()


@pytest.mark.asyncio
async def test_what_work_raises_reaches_who_asked() -> None:
    with Bench() as bench:
        with pytest.raises(ZeroDivisionError):
            await bench.submit(lambda: 1 // 0)
        assert await bench.submit(lambda: 2) == 2


@pytest.mark.asyncio
async def test_components_worked_on_at_once_come_out_as_one_by_one(
    context: ToolContext, run: str, tmp_path: Path
) -> None:
    components = [Address("language", 0, "mlp", index) for index in range(4)]
    with Bench() as bench:
        async with open_checkpoints(tmp_path / "checkpoints.db") as saver:
            outcomes = await asyncio.gather(
                *(
                    run_thread(
                        replace(context, budget=Budget(calls=5)),
                        Scripted([weigh_red, conclusion]),
                        bench,
                        run,
                        component,
                        saver,
                        tools=[WEIGH],
                    )
                    for component in components
                )
            )
    for component, outcome in zip(components, outcomes, strict=True):
        (experiment,) = context.store.queries.experiments(run, str(component))
        assert isinstance(outcome.decision, Conclusion) and outcome.evidence == (experiment.number,)


def test_checkpoints_hold_plain_values_only_wherever_the_agent_is_imported() -> None:
    code = "import agent.graph; from langgraph.checkpoint.serde import _msgpack; print(_msgpack.STRICT_MSGPACK_ENABLED)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"


@pytest.mark.asyncio
async def test_calls_at_work_at_once_share_their_passes() -> None:
    passes: list[list[int]] = []

    def together(numbers: Sequence[int]) -> list[int | Exception]:
        passes.append(list(numbers))
        return [2 * one for one in numbers]

    def work(number: int) -> int:
        return ask(together, number) + ask(together, 10 * number)

    with Bench() as bench:
        ready = threading.Event()
        first = asyncio.create_task(bench.submit(ready.wait))
        others = [asyncio.create_task(bench.submit(partial(work, number))) for number in (1, 2, 3)]
        await asyncio.sleep(0)
        ready.set()
        assert await first and await asyncio.gather(*others) == [22, 44, 66]
    assert passes == [[1, 2, 3], [10, 20, 30]]


@pytest.mark.asyncio
async def test_more_calls_than_there_is_room_for_wait_their_turn() -> None:
    at_work, most = 0, 0

    def together(numbers: Sequence[int]) -> list[int | Exception]:
        return list(numbers)

    def work(number: int) -> int:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        for _ in range(3):
            ask(together, number)
        at_work -= 1
        return number

    with Bench(at_once=4) as bench:
        found = await asyncio.gather(*(bench.submit(partial(work, number)) for number in range(20)))
    assert found == list(range(20)) and most == 4


async def leave(bench: Bench, gate: threading.Event) -> None:
    """Leaves the bench; what is at work there waits for the gate, which opens when the bench knows that it is left."""
    leaving = asyncio.create_task(asyncio.to_thread(bench.close))
    while not bench._closed:
        await asyncio.sleep(0.01)
    gate.set()
    await leaving


@pytest.mark.asyncio
async def test_leaving_finishes_what_is_at_work_and_drops_what_has_not_begun() -> None:
    begun: list[int] = []
    gate = threading.Event()

    def together(numbers: Sequence[int]) -> list[int | Exception]:
        gate.wait()
        return list(numbers)

    def work(number: int) -> int:
        begun.append(number)
        return ask(together, number)

    bench = Bench(at_once=2)
    tasks = [asyncio.create_task(bench.submit(partial(work, number))) for number in range(5)]
    while len(begun) < 2:
        await asyncio.sleep(0.01)
    await leave(bench, gate)
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert found[:2] == [0, 1] and begun == [0, 1]
    assert all(isinstance(one, asyncio.CancelledError) for one in found[2:])


@pytest.mark.asyncio
async def test_a_call_that_waits_for_an_endpoint_leaves_the_bench_to_others() -> None:
    asked, others = threading.Event(), threading.Event()

    def waits() -> bool:
        asked.set()
        return elsewhere(lambda: others.wait(30))

    with Bench() as bench:
        waiting = asyncio.create_task(bench.submit(waits))
        await asyncio.to_thread(asked.wait)
        assert await asyncio.gather(*(bench.submit(partial(pow, 2, n)) for n in range(40))) == [
            2**n for n in range(40)
        ]
        others.set()
        assert await waiting


@pytest.mark.asyncio
async def test_who_waits_elsewhere_has_a_place_at_the_bench_and_leaving_waits_for_it() -> None:
    asked, gate, done = threading.Event(), threading.Event(), list[str]()

    def waits() -> None:
        asked.set()
        elsewhere(gate.wait)
        done.append("waited")

    bench = Bench(at_once=1)
    first = asyncio.create_task(bench.submit(waits))
    await asyncio.to_thread(asked.wait)
    second = asyncio.create_task(bench.submit(partial(done.append, "second")))
    await asyncio.sleep(0)
    await leave(bench, gate)
    assert done == ["waited"]
    await asyncio.gather(first, second, return_exceptions=True)
    assert done == ["waited"] and second.cancelled()
