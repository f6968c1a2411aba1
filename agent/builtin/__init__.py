"""The planner that needs no language model: an experimenter with a fixed method.

For a neuron: look at what excites it, guess phrases, let them compete on pictures, break the favorite on pairs, cut
the neuron out, ask for a score, conclude or abstain. For a head: where it looks, what it writes, which answers need it. It
keeps nothing between turns: what comes next follows from the thread's record alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.builtin import heads, neurons
from agent.planner import Choice
from agent.thread import ThreadView
from tools.tool import Tool


class BuiltinPlanner:
    """Decides without any endpoint, at once, and always the same way."""

    name = "builtin"

    async def decide(self, thread: ThreadView, tools: Sequence[Tool], /) -> Choice:
        method = heads if thread.component.part == "head" else neurons
        return Choice(method.decide(thread))
