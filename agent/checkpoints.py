"""Where langgraph keeps the place of unfinished threads: a file beside the store, or memory.

They spare a resumed run the walk through what is done. The record alone is enough to resume from (record.py), so a lost
file costs nothing; a finished thread's checkpoints are deleted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver


@asynccontextmanager
async def open_checkpoints(path: Path | None = None) -> AsyncIterator[BaseCheckpointSaver[str]]:
    """Checkpoints in the file `path`, made if missing; in memory without one."""
    if path is None:
        yield InMemorySaver()
        return
    async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
        await saver.setup()
        yield saver
