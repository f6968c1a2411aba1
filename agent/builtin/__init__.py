"""The planner that needs no language model: an experimenter with a fixed method.

Look at what excites the component, guess phrases, let them compete on pictures, try to break the favorite on pairs,
ask for its score, cut the component out, conclude or abstain. It keeps nothing between turns: what comes next follows
from the thread's record, and from the parts that it was made without.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.builtin.method import decide
from agent.builtin.without import WHOLE, Without, named
from agent.planner import Choice
from agent.thread import ThreadView
from tools.tool import Tool


class BuiltinPlanner:
    """Decides without any endpoint, at once, and always the same way."""

    def __init__(self, without: Without = WHOLE) -> None:
        self.without = without

    @property
    def name(self) -> str:
        """`builtin`, and what it lacks."""
        return named(self.without)

    async def decide(self, thread: ThreadView, tools: Sequence[Tool], /) -> Choice:
        return Choice(decide(thread, self.without))
