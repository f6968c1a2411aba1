"""How a command opens a workplace and a planner from the words on its line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from experiments.commands.output import progress
from store.errors import UsageError

if TYPE_CHECKING:
    from agent.planner import Planner
    from experiments.workplace import Workplace
    from store.database import Store


@contextmanager
def opened_workplace(
    target: str,
    *,
    store: str,
    images: str = "",
    judge: str = "",
    device: str = "auto",
    dtype: str = "float32",
    seed: int = 0,
) -> Iterator[Workplace]:
    """The target in its world, with its store and with progress on the terminal; closed afterwards."""
    from transformers.utils import logging

    from experiments.workplace import open_workplace
    from store.database import open_store

    if not sys.stderr.isatty():
        logging.disable_progress_bar()
    with open_store(store or None) as record, progress() as tell:
        yield open_workplace(
            record,
            target,
            images=images or None,
            judge=judge or None,
            device=device,
            dtype=dtype,
            seed=seed,
            progress=tell,
        )


def chosen_planner(name: str, base_url: str, store: Store) -> Planner:
    """The planner that `name` means. Raises UsageError for another word."""
    kind, _, rest = name.partition(":")
    if kind == "builtin":
        from agent.builtin import BuiltinPlanner
        from agent.builtin.without import without_of

        return BuiltinPlanner(without_of(name))
    if kind == "openai" and rest:
        from agent.openai_planner import OpenAIPlanner

        return OpenAIPlanner(rest, base_url or None)
    if kind == "recorded" and rest:
        from agent.recorded import Recorded

        return Recorded(store, rest)
    raise UsageError(
        f"`{name}` is not a planner", kind="planner", hint="give `builtin`, `openai:MODEL` or `recorded:RUN`"
    )
