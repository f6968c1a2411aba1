"""A program's calls, carried out: each is an experiment like any other, in the place at which the program made it.

Knows turns, and what of an experiment a program gets to see. A program that is run again, since its process was killed,
finds its experiments on record: place by place the same call gets the same answer, and measures nothing. Knows nothing
about the interpreter (sandbox.py), nor about what comes before and after the step (nodes.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from agent.decision import Call
from agent.pictured import named
from agent.programs.sandbox import Ended, Sandbox, Unanswered
from agent.programs.stubs import bound, stubs
from agent.repeats import before
from agent.thread import quantities
from store.errors import PlannerError
from store.recorder import Recorder, Turn
from store.records import Experiment, Quantity
from tools.tool import Tool

Measure = Callable[[Turn, str, Mapping[str, Any]], Awaitable[Experiment]]
"""One call through the door, wherever the model is."""


class Changed(Exception):
    """A program that is run again asks for something else than on record."""


@dataclass
class Hand:
    """Carries out one program's calls, at the places 0, 1, 2 … of a step.

    `earlier` are the thread's experiments of the steps before, `made` those that this program has made.
    """

    recorder: Recorder
    run: str
    thread: str
    step: int
    tools: Mapping[str, Tool]
    measure: Measure
    earlier: Sequence[Experiment] = ()
    made: list[Experiment] = field(default_factory=list)
    _place: int = -1

    async def ask(self, name: str, args: Sequence[Any], given: dict[str, Any]) -> dict[str, Any]:
        """The result as plain data. Raises Unanswered with what the program did wrong, Changed, and what measuring
        raises besides: a budget that is spent, an endpoint that is gone, a mistake of ours."""
        self._place += 1
        turn = Turn(self.run, self.thread, self.step, self._place)
        try:
            call = _call(name, bound(self.tools[name], args, given))
            if again := before([*self.earlier, *self.made], call):
                return plain(again)
            self._unchanged(turn, call)
            self.made.append(await self.measure(turn, name, call.arguments))
        except PlannerError as error:
            raise Unanswered(error.message) from None
        return plain(self.made[-1])

    def _unchanged(self, turn: Turn, call: Call) -> None:
        found = self.recorder.find(turn)
        if found is not None and before([found], call) is None:
            raise Changed(f"run again, it calls `{call.tool}` where e{found.number} is `{found.tool}`")


def _call(name: str, arguments: dict[str, Any]) -> Call:
    """Whatever stands between us and a program is not trusted to hand over plain data."""
    try:
        return Call(tool=name, arguments=arguments)
    except ValidationError as error:
        problem = error.errors()[0]
        raise Unanswered(f"`{name}` was not run: `{problem['loc'][-1]}`: {problem['msg']}") from None


async def carried_out(sandbox: Sandbox, source: str, hand: Hand) -> Ended:
    """How the program ended; `hand.made` are its experiments. Raises what measuring raises, besides refusals."""
    tools = list(hand.tools.values())
    try:
        return await sandbox.run(source, stubs(tools), list(hand.tools), hand.ask)
    except Changed as error:
        return Ended("error", str(error))


def plain(experiment: Experiment) -> dict[str, Any]:
    """What a program gets of a result: its number, the summary, the quantities, warnings, and names of pictures."""
    return {
        "experiment": experiment.number,
        "summary": str(experiment.result.get("summary", "")),
        "quantities": {name: _number(found) for name, found in quantities(experiment).items()},
        "warnings": list(experiment.result.get("warnings", ())),
        "pictures": named(experiment),
    }


def _number(found: Quantity) -> dict[str, Any]:
    return found.model_dump(mode="json")
