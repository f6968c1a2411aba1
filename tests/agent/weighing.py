"""A tool of the tests' own whose numbers are known, and planners that follow a script.

`weigh` says how strongly a concept drives a component: `red` by 0.62 against 0.05 of the control, `blue` by nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from agent.decision import Abstention, Call, Calls, Conclusion, Decision
from agent.planner import Choice
from agent.thread import ThreadView
from agent.verdicts import judge
from store.errors import UserError
from store.records import Hypothesis, Quantity
from tools.context import ToolContext
from tools.tool import Arguments, Result, Tool

KNOWN = {
    "red": Quantity(value=0.6234, unit="sd", ci=(0.51, 0.74), n=40, control=0.05, control_ci=(-0.02, 0.12)),
    "blue": Quantity(value=-0.01, unit="sd", ci=(-0.09, 0.07), n=40, control=0.05),
    "green": Quantity(value=0.1, unit="sd", ci=(0.0, 0.2), n=40, control=0.05),
    "bare": Quantity(value=0.8, unit="sd", ci=(0.7, 0.9), n=40),
}


class WeighArguments(Arguments):
    component: str
    concept: str


class Weighed(Result):
    """How strongly a concept drives a component."""


def weigh(context: ToolContext, arguments: WeighArguments) -> Weighed:
    """How strongly a concept drives a component."""
    if arguments.concept not in KNOWN:
        raise UserError(
            f"`{arguments.concept}` is not a known concept", kind="concept", hint=f"say {', '.join(KNOWN)}"
        )
    found = KNOWN[arguments.concept]
    return Weighed(summary=f"{arguments.concept}: 15 of 15 pictures agree", quantities={"effect": found})


WEIGH = Tool("weigh", WeighArguments, Weighed, weigh)


def hypothesis(concept: str = "red") -> Hypothesis:
    return Hypothesis(
        statement=f"It fires on {concept}.",
        concept=concept,
        quantity="effect",
        direction="above",
        threshold=0.2,
        control="an equal count of other pictures",
        refuter="an interval that falls short of 0.2 sd",
    )


def weighing(view: ThreadView, concept: str = "red") -> Call:
    return Call(tool="weigh", arguments={"component": str(view.component), "concept": concept})


def conclusion(
    view: ThreadView, text: str = "It fires on red by {e#.effect} [e#].", concept: str = "red"
) -> Conclusion:
    """A conclusion on the thread's last experiment, whose number stands in `text` as `#`."""
    last = view.experiments[-1]
    verdict = judge(view.stated[0], last)
    return Conclusion(
        label=f"{concept} things",
        concept=concept,
        text=text.replace("#", str(last.number)),
        verdicts=(verdict,),
    )


Line = Callable[[ThreadView], Decision]


@dataclass
class Scripted:
    """Says line `step` at that step, and its last line from then on; `asked` are the steps it was asked."""

    lines: Sequence[Line]
    name: str = "scripted"
    asked: list[int] = field(default_factory=list)

    async def decide(self, thread: ThreadView, tools: Sequence[Tool], /) -> Choice:
        self.asked.append(thread.step)
        return Choice(self.lines[min(thread.step, len(self.lines) - 1)](thread))


def weigh_red(view: ThreadView) -> Calls:
    """Proposes red, and weighs it."""
    return Calls(propose=(hypothesis(),), calls=(weighing(view),))


def give_up(view: ThreadView) -> Abstention:
    return Abstention(reason="nothing is stable")
