"""A question to a planner that plans freely: a thread of the loop that has the question as its goal.

Knows how such a thread is run and what its outcome is as an answer. What the loop refuses of conclusions it refuses of
answers as well: a sentence without a receipt, a number that was typed, a yes that nothing could have refuted.
"""

from __future__ import annotations

from agent.ask.answer import Answer
from agent.ask.asking import Asking
from agent.bench import Bench
from agent.checkpoints import open_checkpoints
from agent.decision import Abstention, Conclusion
from agent.graph import run_thread
from agent.record import Outcome
from agent.selecting import MISJUDGED, SCORE
from agent.thread import Goal
from experiments.label import SPENT
from experiments.terms import Terms
from experiments.workplace import Workplace
from store.recorder import QUESTION
from store.views import RunEnd
from tools.tool import TOOLS

OF_WORDS = (SCORE, MISJUDGED)
"""Tools that score the words of a description: an answer has none."""


def planned(workplace: Workplace, asking: Asking, goal: Goal, terms: Terms) -> tuple[Answer, RunEnd]:
    """The answer, with its experiments cited, and how the run ends.

    Raises MaieuticError of kind "endpoint" when the planner can't be reached; what was done is kept.
    """
    ended: list[Outcome] = []
    tools = [tool for name, tool in sorted(TOOLS.items()) if name not in OF_WORDS]

    async def thread() -> None:
        with Bench() as bench:
            async with open_checkpoints(None) as checkpoints:

                async def asked() -> None:
                    found = await run_thread(
                        asking.context,
                        terms.planner,
                        bench,
                        asking.run,
                        goal,
                        checkpoints,
                        limits=terms.allowance.limits,
                        tools=tools,
                        sandbox=terms.allowance.sandbox,
                    )
                    ended.append(found)

                await bench.carry(asked())

    terms.drive(thread())
    (outcome,) = ended
    made = workplace.store.queries.experiments(asking.run, QUESTION)
    asking.made = len(made)
    for experiment in made:
        if experiment.number in outcome.evidence:
            asking.cite(experiment)
    status: RunEnd = "budget" if outcome.finish.startswith(SPENT) else "done"
    decision = outcome.decision
    assert not isinstance(decision, Conclusion)  # the loop refuses it of a question
    if isinstance(decision, Abstention):
        return Answer("", decision.reason), status
    return Answer(decision.text, "", decision.verdict, decision.components, decision.rows), status
