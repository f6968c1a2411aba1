"""One small context for all methods, and a way to call them through the door."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from store.recorder import Turn
from store.records import Experiment
from tools.context import ToolContext
from tools.door import call

Caller = Callable[..., Experiment]


@pytest.fixture(scope="session")
def context(llava_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToolContext]:
    from tests.tools.small import small_context

    made = small_context(llava_folder, tmp_path_factory.mktemp("small"))
    yield made
    made.store.close()


@pytest.fixture
def do(context: ToolContext) -> Caller:
    """Calls a tool in a run of its own: `do("ablate", component=…)`."""
    run = context.store.recorder.open_run("direct", context.target.fingerprint, {}, 0, "test")
    calls = count()

    def through_the_door(name: str, **arguments: Any) -> Experiment:
        return call(context, Turn(run, "direct", 0, next(calls)), name, arguments)

    return through_the_door
