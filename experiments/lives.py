"""A labelling run that lives in processes of its own, one after the other, and may be killed in each.

Processes are forked from one that has read the libraries already, so that a life is work and no waiting; a kill is
SIGKILL to the process and all that it began. Knows commands; knows nothing about what becomes of the run.
"""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from store.database import open_store

READ_AHEAD = [
    "transformers.models.llava.modeling_llava",
    "transformers.models.clip.modeling_clip",
    "agent.builtin",
    "agent.openai_planner",
    "agent.programs.processes",
    "experiments.commands.app",
    "experiments.commands.label",
    "experiments.commands.tables",
    "experiments.commands.workplaces",
    "experiments.label",
    "experiments.tableau.source",
    "experiments.tableau.judge",
    "experiments.workplace",
]
GLANCE = 0.02
"""Seconds between two looks at how far a life has come."""


@dataclass(frozen=True)
class Life:
    """The run in `store`: `maieutic label` with `words` begins it, `--resume RUN` goes on; `more` goes with both."""

    store: Path
    cache: Path
    words: tuple[str, ...]
    more: tuple[str, ...] = ()

    def live(self, seconds: float = math.inf, since: Callable[[], bool] = lambda: True) -> bool:
        """Lets it work so long, counted from when `since` is true, and kills it; True when it was done before.

        Raises RuntimeError where it failed.
        """
        context = get_context("forkserver")
        context.set_forkserver_preload(READ_AHEAD)
        log = self.store.with_suffix(".log")
        environment = {"MAIEUTIC_CACHE": str(self.cache), "MAIEUTIC_STORE": str(self.store)}
        process = context.Process(target=_label, args=(self._words(), environment, log))
        process.start()
        while process.exitcode is None and not since():
            process.join(GLANCE)
        process.join(None if math.isinf(seconds) else seconds)
        if process.exitcode is None:
            with suppress(ProcessLookupError):  # it has not come as far as to lead a group
                os.killpg(process.pid or 0, signal.SIGKILL)
            process.kill()
            process.join()
            return False
        if process.exitcode:
            told = log.read_text(encoding="utf-8")[-2000:]
            raise RuntimeError(f"a life ended with {process.exitcode}: {told}")
        return True

    def _words(self) -> list[str]:
        if self.store.is_file():
            with open_store(self.store) as opened:
                if runs := opened.queries.runs():
                    return ["label", "--resume", runs[0].id, *self.more]
        return ["label", *self.words, *self.more]


def _label(words: list[str], environment: dict[str, str], log: Path) -> None:
    """The command as users type it, in this process."""
    from experiments.commands.app import run

    os.setsid()
    os.environ.update(environment)
    with log.open("w", encoding="utf-8") as told:
        os.dup2(told.fileno(), 1)
        os.dup2(told.fileno(), 2)
        raise SystemExit(run(words))
