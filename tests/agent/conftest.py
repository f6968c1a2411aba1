"""A small context with the tests' own tool, and a thread to run in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.bench import Bench
from agent.checkpoints import open_checkpoints
from agent.graph import run_thread
from agent.planner import Planner
from agent.record import Outcome
from store.address import Address, parse
from store.database import open_store
from tests.agent.weighing import WEIGH
from tests.tools.small import small_context
from tools.budget import Budget
from tools.context import ToolContext
from tools.tool import TOOLS

COMPONENT = parse("language.0.mlp.3")
RunOne = Callable[..., Coroutine[Any, Any, Outcome]]


@pytest.fixture(scope="module")
def parts(llava_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToolContext]:
    made = small_context(llava_folder, tmp_path_factory.mktemp("agent"))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def empty(parts: ToolContext, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that knows the target and nothing else, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "store.db"
    with open_store(path) as store:
        store.recorder.target("tiny", parts.target.fingerprint, "llava", {})
    return path


@pytest.fixture
def context(
    parts: ToolContext, empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ToolContext]:
    """A context with a store and a budget of its own, in which `weigh` is a tool."""
    monkeypatch.setitem(TOOLS, WEIGH.name, WEIGH)
    with open_store(shutil.copy(empty, tmp_path / "store.db")) as store:
        yield replace(parts, store=store, budget=Budget(), memory=replace(parts.memory, charged=set()))


@pytest.fixture
def run(context: ToolContext) -> str:
    return context.store.recorder.open_run("label", context.target.fingerprint, {}, 0, "scripted")


@pytest.fixture
def run_one(context: ToolContext, run: str) -> RunOne:
    """Runs one component with a planner, as often as it is called."""

    async def through(planner: Planner, component: Address = COMPONENT, **more: Any) -> Outcome:
        tools = more.pop("tools", [WEIGH])
        checkpoints: Path | None = more.pop("checkpoints", None)
        with Bench() as bench:
            async with open_checkpoints(checkpoints) as saver:
                return await run_thread(
                    more.pop("context", context), planner, bench, run, component, saver, tools=tools, **more
                )

    return through
