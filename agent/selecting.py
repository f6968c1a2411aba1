"""What the select split says of a conclusion: believe it, send it back, or end without words.

Revision uses the select split only; its pictures are never shown, and its scores are rounded and few. Knows the rule;
knows nothing about how a score is made (tools/methods/score.py) or which planner is asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import prompts
from agent.decision import Conclusion
from agent.receipts import fill
from agent.thread import ThreadView, quantities
from store.errors import PlannerError, UserError
from store.recorder import Turn
from store.records import Experiment, Reading
from tools import door
from tools.budget import BudgetReached
from tools.context import ToolContext
from tools.methods.score import CALLS
from tools.scoring.normal import canonical

SCORE, MISJUDGED = "score_description", "misjudged"
ENOUGH = 0.3
"""Select correlation from which on a conclusion is believed: what `verified` asks of the lower end on the test."""


@dataclass(frozen=True)
class Selected:
    """`revise` goes back to the planner, `nothing` says why the thread ends without words; both empty: believed."""

    revise: str = ""
    nothing: str = ""


def selected(
    context: ToolContext, view: ThreadView, turn: Turn, conclusion: Conclusion, *, last: bool
) -> Selected:
    """What becomes of a conclusion that keeps to the rules; of the `last` one only whether it says anything.

    Scores it unless the thread has its score. One that can't be scored (no score is left, or no budget) is believed:
    the sealed test will tell.
    """
    scored = _scored(view, conclusion) or _measured(context, turn, SCORE, conclusion)
    found = quantities(scored).get("pearson") if scored else None
    if scored is None or found is None or found.value >= ENOUGH:
        return Selected()
    if last or _told(view, conclusion):
        if found.value > 0:
            return Selected()
        told = (
            f"`{conclusion.concept}` predicts nothing on pictures that nobody looked at: {{e#.pearson}} [e#]."
        )
        return Selected(nothing=fill(told.replace("#", str(scored.number)), {scored.number: scored}))
    wrong = _measured(context, Turn(turn.run, turn.thread, turn.step, 1), MISJUDGED, conclusion)
    return Selected(
        revise=prompts.load("select").render(
            concept=conclusion.concept,
            score=f"{found.value:.1f}",
            number=scored.number,
            enough=ENOUGH,
            misjudged=wrong.number if wrong else None,
            scores=max(0, CALLS - len(view.select_scores) - (scored not in view.experiments)),
        )
    )


def _scored(view: ThreadView, conclusion: Conclusion) -> Experiment | None:
    """The thread's own score of this concept under this reading."""
    for one in view.select_scores:
        reading = Reading.model_validate(one.arguments["reading"])
        if reading == conclusion.reading and _same(str(one.arguments["concept"]), conclusion.concept):
            return one
    return None


def _measured(context: ToolContext, turn: Turn, tool: str, conclusion: Conclusion) -> Experiment | None:
    """An experiment of the loop's own; None where the tool refuses or nothing is left to pay it."""
    arguments = {
        "component": turn.thread,
        "reading": conclusion.reading.model_dump(),
        "concept": conclusion.concept,
    }
    try:
        return door.call(context, turn, tool, arguments)
    except (PlannerError, BudgetReached):
        return None


def _told(view: ThreadView, conclusion: Conclusion) -> bool:
    """Whether this conclusion went back to the planner before for its score: at a step that concludes, experiments are
    the loop's own."""
    measured = {one.step for one in view.experiments}
    return any(
        isinstance(turn.decision, Conclusion)
        and turn.step in measured
        and turn.decision.reading == conclusion.reading
        and _same(turn.decision.concept, conclusion.concept)
        for turn in view.decided
    )


def _same(one: str, other: str) -> bool:
    try:
        return canonical(one) == canonical(other)
    except UserError:
        return one.strip().lower() == other.strip().lower()
