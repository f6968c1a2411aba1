"""Calls that were made before: what they measured is given again.

Knows when two calls are the same; knows nothing about who makes them, one by one (nodes.py) or in a program
(programs/carrying.py).
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.decision import Call
from store.records import Experiment
from tools import door


def before(made: Iterable[Experiment], call: Call) -> Experiment | None:
    """The experiment that a call would only repeat: it is given again, since a planner may have it before its eyes no
    longer, and neither measured nor charged, since it would say the same. Raises PlannerError as the door does."""
    _, arguments = door.check(call.tool, call.arguments)
    words = arguments.model_dump(mode="json")
    return next((one for one in made if one.tool == call.tool and one.arguments == words), None)
