"""The proof: every attempt is made, each is watched, and after each the sandbox has to serve an honest program.

An attempt is through when a canary sang, when neither the interpreter nor its keeper stopped it, when it grew larger
than any program may, or when a process of its outlived the last kill. Knows nothing about the ways in which attempts
are made.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.programs.carrying import Hand, carried_out
from agent.programs.limits import Bounds
from agent.programs.processes import UNSTOPPED
from agent.programs.sandbox import Ended, Sandbox
from experiments.escapes.attempts import Attempt
from experiments.escapes.canaries import COMPONENT, Canaries
from experiments.escapes.watching import watched
from experiments.workplace import Workplace
from store.recorder import Turn
from store.records import Experiment
from tools import door
from tools.budget import Budget
from tools.tool import TOOLS

SLACK = 2.0
"""Seconds beyond the last kill in which processes begin and end."""
ROOM = 700 * 2**20
"""Bytes that keeper and worker may hold together: the memory of values, what they are in transit, and two programs."""
HONEST = "print(6 * 7)"


@dataclass(frozen=True)
class Try:
    """What became of an attempt: `through` names what was seen (empty is good), `recovered`: the next was served."""

    attempt: Attempt
    way: str
    end: str
    told: str
    through: tuple[str, ...]
    seconds: float
    memory: int | None
    experiments: int
    recovered: bool


@dataclass
class Prover:
    """Makes attempts in one workplace; `steps` keeps their experiments apart."""

    workplace: Workplace
    canaries: Canaries
    bounds: Bounds
    steps: int = 0
    tried: list[Try] = field(default_factory=list)

    def attempt(self, attempt: Attempt, way: str, sandbox: Sandbox) -> Try:
        """Makes it, and looks at every canary."""
        self.steps += 1
        asked: list[str] = []
        spent = [0.0]
        hand = self._hand(asked, spent)
        with self.canaries.listening(), watched() as taken:
            ended = asyncio.run(carried_out(sandbox, attempt.filled(self.canaries.places), hand))
        taken.asked = spent[0]
        through = self.canaries.seen(ended, asked, hand.made)
        longest = self.bounds.seconds + self.bounds.grace + self.bounds.patience + SLACK
        if ended.told == UNSTOPPED or taken.own > longest:
            through.append("time")
        if (taken.memory or 0) > ROOM:
            through.append("memory")
        if taken.left:
            through.append("a process left behind")
        found = Try(
            attempt,
            way,
            ended.end,
            " ".join(ended.told.replace(str(self.canaries.folder), "…").split())[:160],
            tuple(through),
            round(taken.own, 3),
            taken.memory,
            len(hand.made),
            served(sandbox),
        )
        self.tried.append(found)
        return found

    def _hand(self, asked: list[str], spent: list[float]) -> Hand:
        context = self.workplace.context(Budget(), index=False)

        async def measure(turn: Turn, name: str, arguments: Mapping[str, Any]) -> Experiment:
            began = time.monotonic()
            try:
                return await asyncio.to_thread(door.call, context, turn, name, arguments)
            finally:
                spent[0] += time.monotonic() - began

        recorder, run = self.workplace.store.recorder, self.canaries.run
        return Listening(recorder, run, COMPONENT, self.steps, TOOLS, measure, asked=asked)


@dataclass
class Listening(Hand):
    """Hears whatever a program says to a tool, refused calls too."""

    asked: list[str] = field(default_factory=list)

    async def ask(self, name: str, args: Sequence[Any], given: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(repr((name, args, given)))
        return await super().ask(name, args, given)


def served(sandbox: Sandbox) -> bool:
    """Whether an honest program gets what it should."""

    async def never(name: str, args: Sequence[Any], named: dict[str, Any]) -> Any:
        raise AssertionError("an honest program asks for nothing")

    ended = asyncio.run(sandbox.run(HONEST, "", [], never))
    return ended == Ended("done", printed="42\n")


def table(tried: Sequence[Try], about: Mapping[str, str]) -> list[dict[str, Any]]:
    """One row a family: how many, how many got through, how they ended, what they took."""
    rows = []
    for family in dict.fromkeys(one.attempt.family for one in tried):
        ours = [one for one in tried if one.attempt.family == family]
        memory = [one.memory for one in ours if one.memory is not None]
        rows.append(
            {
                "family": family,
                "about": about[family],
                "attempts": len({one.attempt.name for one in ours}),
                "tries": len(ours),
                "through": sum(bool(one.through) for one in ours),
                "ended": {end: sum(one.end == end for one in ours) for end in sorted({o.end for o in ours})},
                "seconds": {
                    "median": round(statistics.median(one.seconds for one in ours), 2),
                    "max": round(max(one.seconds for one in ours), 2),
                },
                "memory": max(memory) if memory else None,
                "experiments": sum(one.experiments for one in ours),
                "recovered": sum(one.recovered for one in ours),
            }
        )
    return rows


def markdown(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The table as docs/sandbox.md shows it."""
    lines = ["| family | n | through | ended | median s | max s | served afterwards |", "| --- " * 7 + "|"]
    for row in rows:
        ended = ", ".join(f"{end} {count}" for end, count in row["ended"].items())
        seconds = row["seconds"]
        lines.append(
            f"| {row['family']}: {row['about']} | {row['tries']} | {row['through']} | {ended} "
            f"| {seconds['median']:.1f} | {seconds['max']:.1f} | {row['recovered']} |"
        )
    return lines
