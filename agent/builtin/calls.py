"""Calls: how the built-in planner writes one down, and which it has made.

Knows tools by name alone.
"""

from __future__ import annotations

from agent.decision import Call, Calls
from agent.thread import ThreadView


def call(tool: str, view: ThreadView, **more: object) -> Call:
    """A call of a tool on the thread's component."""
    return Call.model_validate({"tool": tool, "arguments": {"component": str(view.component), **more}})


def called_so_far(view: ThreadView) -> list[Call]:
    """Every call that was decided, also such as were refused."""
    turns = (turn.decision for turn in view.decided)
    return [call for turn in turns if isinstance(turn, Calls) for call in turn.calls]
