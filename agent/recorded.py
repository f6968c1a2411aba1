"""The planner `recorded`: says again what another run's planner said, component by component.

Knows that experiments get new numbers when they are made again, and puts these into the old words. Knows nothing about
why anything was decided.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from agent.decision import Decision, as_row, from_row
from agent.planner import Choice
from agent.record import decisions
from agent.thread import ThreadView
from store.database import Store
from store.errors import UserError
from tools.tool import Tool

_MARK = re.compile(r"(?<![A-Za-z0-9])e(\d+)\b")
TEXTS = ("text", "reason", "thought", "because")
NUMBERED = ("experiments", "evidence")


class Recorded:
    """Decisions of `run` in `store`. Raises UserError of kind "replay" where that run has nothing (more) to say."""

    name = "recorded"

    def __init__(self, store: Store, run: str) -> None:
        self._store = store
        self._run = store.queries.run(run).id

    async def decide(self, thread: ThreadView, tools: Sequence[Tool], /) -> Choice:
        component = str(thread.subject)
        said = {turn.step: turn.decision for turn in decisions(self._store, self._run, component)}
        if thread.step not in said:
            raise UserError(
                f"run `{self._run}` has no turn {thread.step + 1} for `{component}`",
                kind="replay",
                hint=f"it has {len(said)}; replay it with the limits and the target that it had",
            )
        old = self._store.queries.experiments(self._run, component)
        new = {before.number: now.number for before in old if (now := thread.at(before.step, before.call))}
        return Choice(renumbered(said[thread.step], new))


def renumbered(decision: Decision, numbers: Mapping[int, int]) -> Decision:
    """The decision with the experiments that it names under their new numbers; those without one become `e0`."""

    def anew(part: Any, field: str = "") -> Any:
        if isinstance(part, dict):
            return {name: value if name == "arguments" else anew(value, name) for name, value in part.items()}
        if isinstance(part, list) and field in NUMBERED:
            return [numbers.get(number, 0) for number in part]
        if isinstance(part, list):
            return [anew(value, field) for value in part]
        if isinstance(part, str) and field in TEXTS:
            return _MARK.sub(lambda mark: f"e{numbers.get(int(mark[1]), 0)}", part)
        return part

    return from_row(anew(as_row(decision)))
