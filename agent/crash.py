"""A crash in one thread: which errors end that thread alone, and what is kept of it.

A mistake of ours in one component is no reason to lose the others: it becomes the thread's outcome. What would meet
the next thread as well, or leaves nothing to write with, is no thread's own. Knows kinds of errors; knows nothing about
threads that are still at work.
"""

from __future__ import annotations

import re
import sqlite3
import traceback

from sqlalchemy.exc import DBAPIError

from agent.decision import Abstention
from agent.record import By, Outcome, outcome_row
from store.database import Store
from store.errors import MaieuticError, PlannerError
from tools.engine.room import is_lost, is_shortage

CRASH: By = "crash"
ASIDE = ("endpoint-request", "endpoint-context")
"""Kinds of errors that are about what was sent: a filter's refusal, a thread that no context holds."""
LONGEST = 300
"""Characters of an error's message that become a reason; the traceback has them all."""
_OUTSIDE = (MemoryError, OSError, DBAPIError, sqlite3.Error)
_MARK = re.compile(r"\[\s*(e\d[^\]]*)\]")


def ends_the_run(error: Exception) -> bool:
    """Whether an error is no thread's own: the user's, an endpoint's, a disk's, a database's, memory's, a device's."""
    if isinstance(error, MaieuticError):
        return not isinstance(error, PlannerError)
    if isinstance(error, _OUTSIDE):
        return True
    return isinstance(error, RuntimeError) and (is_shortage(error) or is_lost(error))


def for_later(error: Exception) -> bool:
    """Whether an endpoint refused what this thread has to say, and may answer every other one: it is left for later."""
    return isinstance(error, MaieuticError) and error.kind in ASIDE


def crashed(store: Store, run: str, thread: str, error: Exception) -> Outcome:
    """The error as the thread's outcome, which is recorded as its last row with the traceback as an artifact."""
    trace = store.artifacts.put("".join(traceback.format_exception(error)).encode(), "text/plain")
    rows = store.queries.steps(run, thread)
    step = rows[-1].step + 1 if rows else 0
    outcome = Outcome(Abstention(reason=told(error)), CRASH, step)
    store.recorder.step(run, thread, step, outcome_row(outcome) | {"traceback": trace})
    return outcome


def told(error: Exception) -> str:
    """The error's type and the first line of what it says, which cites nothing even where it names experiments."""
    said = _MARK.sub(r"\1", (str(error).strip() or "no message").splitlines()[0])
    return f"{type(error).__name__}: {said}"[:LONGEST]
