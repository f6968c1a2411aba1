"""Killed anywhere, a thread goes on where it was: the same rows as an undisturbed run, and none of them twice."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from agent.bench import Bench
from agent.decision import Abstention, Calls, Conclusion
from agent.graph import run_thread
from agent.record import Outcome
from agent.state import Limits
from agent.thread import ThreadView
from store.database import Store, open_store
from tests.agent.conftest import COMPONENT, RunOne
from tests.agent.weighing import (
    WEIGH,
    Scripted,
    WeighArguments,
    Weighed,
    conclusion,
    hypothesis,
    weigh,
    weigh_red,
    weighing,
)
from tools.budget import Budget
from tools.context import Memory, ToolContext
from tools.tool import TOOLS

pytestmark = pytest.mark.asyncio

VARYING = ("run", "id", "started", "ended", "decided", "seconds", "frozen", "created")


class Killed(Exception):
    """Stands for the end of the process."""


class Dying(InMemorySaver):
    """Keeps checkpoints until it is asked for one more than it has strength for."""

    strength = 10_000

    async def aput(self, *given: Any, **more: Any) -> Any:
        self.strength -= 1
        if self.strength < 0:
            raise Killed
        return await super().aput(*given, **more)


class DyingOnDisk(AsyncSqliteSaver):
    strength = 10_000

    async def aput(self, *given: Any, **more: Any) -> Any:
        self.strength -= 1
        if self.strength < 0:
            raise Killed
        return await super().aput(*given, **more)


def several(view: ThreadView) -> Calls:
    """Calls that work between calls that do not, and one hypothesis more."""
    calls = tuple(weighing(view, concept) for concept in ("mauve", "blue", "red", "bare"))
    return Calls(propose=(hypothesis("blue"),), calls=calls)


def on_red(view: ThreadView, text: str = "It fires on red by {e#.effect} [e#].") -> Conclusion:
    return conclusion(replace(view, experiments=view.experiments[:1]), text)


def long_thread() -> Scripted:
    """Works, fails in part, concludes badly, works again, concludes well."""
    return Scripted(
        [
            weigh_red,
            several,
            lambda view: on_red(view, "It likes red."),
            lambda view: Calls(calls=(weighing(view, "green"),)),
            on_red,
        ]
    )


async def live(context: ToolContext, run: str, planner: Scripted, saver: Any) -> Outcome:
    """One process's life: budget and memory begin anew, the store stays."""
    with Bench() as bench:
        alive = replace(context, budget=Budget(calls=20), memory=Memory())
        return await run_thread(alive, planner, bench, run, COMPONENT, saver, tools=[WEIGH])


def rows(store: Store) -> list[dict[str, Any]]:
    tables = ("step", "experiment", "hypothesis", "verdict", "citation", "component")
    return [
        {name: value for name, value in row.items() if name not in VARYING}
        for row in store.queries.export_rows()
        if row["table"] in tables
    ]


@contextmanager
def another(context: ToolContext, empty: Path, folder: Path) -> Iterator[tuple[ToolContext, str]]:
    """The same parts over a new store, and a run in it."""
    folder.mkdir()
    with open_store(shutil.copy(empty, folder / "store.db")) as store:
        yield (
            replace(context, store=store),
            store.recorder.open_run("label", context.target.fingerprint, {}, 0, "scripted"),
        )


@pytest_asyncio.fixture
async def undisturbed(context: ToolContext, run: str) -> list[dict[str, Any]]:
    outcome = await live(context, run, long_thread(), InMemorySaver())
    assert isinstance(outcome.decision, Conclusion) and outcome.steps == 5
    return rows(context.store)


async def test_killed_after_every_node_and_without_its_checkpoints_it_ends_the_same(
    undisturbed: list[dict[str, Any]], context: ToolContext, empty: Path, tmp_path: Path
) -> None:
    with another(context, empty, tmp_path / "killed") as (again, run):
        asked, lives = [], 0
        while lives < 40:
            saver, planner = Dying(), long_thread()
            saver.strength = lives
            try:
                outcome = await live(again, run, planner, saver)
                break
            except Killed:
                lives += 1
            finally:
                asked += planner.asked
        assert rows(again.store) == undisturbed
        assert isinstance(outcome.decision, Conclusion) and lives > 7
        assert asked == [0, 1, 2, 3, 4]


async def test_killed_after_every_node_it_goes_on_from_its_checkpoints(
    undisturbed: list[dict[str, Any]], context: ToolContext, empty: Path, tmp_path: Path
) -> None:
    file = str(tmp_path / "checkpoints.db")
    with another(context, empty, tmp_path / "killed") as (again, run):
        asked, lives = [], 0
        while lives < 40:
            planner = long_thread()
            async with DyingOnDisk.from_conn_string(file) as saver:
                assert isinstance(saver, DyingOnDisk)
                saver.strength = 2
                try:
                    await live(again, run, planner, saver)
                    break
                except Killed:
                    lives += 1
                finally:
                    asked += planner.asked
        assert rows(again.store) == undisturbed
        assert asked == [0, 1, 2, 3, 4] and lives > 4
        async with AsyncSqliteSaver.from_conn_string(file) as saver:
            assert [found async for found in saver.alist(None)] == []


async def test_killed_between_two_calls_of_a_step_it_repeats_none(
    undisturbed: list[dict[str, Any]],
    context: ToolContext,
    empty: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def deadly(context: ToolContext, arguments: WeighArguments) -> Weighed:
        if arguments.concept == "bare":
            raise Killed
        return weigh(context, arguments)

    with another(context, empty, tmp_path / "killed") as (again, run):
        with monkeypatch.context() as first_life:
            first_life.setitem(TOOLS, "weigh", replace(WEIGH, function=deadly))
            with pytest.raises(Killed):
                await live(again, run, long_thread(), InMemorySaver())
        assert len(again.store.queries.experiments(run)) == 2
        await live(again, run, long_thread(), InMemorySaver())
        assert rows(again.store) == undisturbed


async def test_a_finished_thread_is_read_and_not_run(run_one: RunOne, context: ToolContext) -> None:
    first, second = Scripted([weigh_red, conclusion]), Scripted([weigh_red, conclusion])
    outcome = await run_one(first)
    assert await run_one(second) == outcome
    assert second.asked == []


async def test_a_planner_that_would_decide_differently_on_resume_can_not(
    context: ToolContext, run: str
) -> None:
    saver = Dying()
    saver.strength = 2
    with pytest.raises(Killed):
        await live(context, run, Scripted([weigh_red]), saver)
    other = Scripted([lambda view: Abstention(reason="no"), conclusion])
    outcome = await live(context, run, other, InMemorySaver())
    assert isinstance(outcome.decision, Conclusion) and other.asked == [1]


async def test_what_was_spent_before_a_kill_is_spent_after_it(context: ToolContext, run: str) -> None:
    saver = Dying()
    saver.strength = 3
    with pytest.raises(Killed):
        await live(context, run, Scripted([weigh_red]), saver)
    alive = replace(context, budget=Budget(calls=1), memory=Memory())
    with Bench() as bench:
        outcome = await run_thread(
            alive, Scripted([weigh_red, conclusion]), bench, run, COMPONENT, InMemorySaver(), limits=Limits()
        )
    assert alive.budget.spent_calls == 1 and outcome.finish == "the budget is nearly spent"


async def test_checkpoints_hold_small_values_only(context: ToolContext, run: str) -> None:
    sizes: list[int] = []

    class Measuring(InMemorySaver):
        async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
            sizes.append(len(self.serde.dumps_typed(checkpoint)[1]))
            return await super().aput(config, checkpoint, metadata, new_versions)

    await live(context, run, long_thread(), Measuring())
    assert max(sizes) < 4000
