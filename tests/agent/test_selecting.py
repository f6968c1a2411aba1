"""The select split decides: a conclusion is believed, sent back with what it gets wrong, or ends without words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.decision import Abstention, Call, Calls, Conclusion
from agent.state import Limits
from agent.thread import ThreadView
from agent.verdicts import judge
from store.records import Quantity, Reading
from tests.agent.conftest import COMPONENT, RunOne
from tests.agent.weighing import WEIGH, Scripted, weigh_red
from tools.context import ToolContext
from tools.tool import TOOLS, Arguments, Result, Tool

pytestmark = pytest.mark.asyncio
Score = Callable[[float], list[Tool]]


class ScoreArguments(Arguments):
    component: str
    concept: str
    reading: Reading = Reading()


class Scored(Result):
    """A number that the test knows."""


@pytest.fixture
def scoring(context: ToolContext, monkeypatch: pytest.MonkeyPatch) -> Score:
    """Tools among which every concept scores the same; what it gets wrong is measured in earnest."""

    def at(value: float) -> list[Tool]:
        def score_description(context: ToolContext, arguments: ScoreArguments) -> Scored:
            quantity = Quantity(value=value, unit="correlation", ci=(value, value), n=24, control=0.0)
            return Scored(summary=f"{value}", quantities={"pearson": quantity})

        tool = Tool("score_description", ScoreArguments, Scored, score_description)
        monkeypatch.setitem(TOOLS, tool.name, tool)
        return [WEIGH, tool]

    return at


def last(view: ThreadView) -> Conclusion:
    """Concludes from the first experiment, whatever came after it."""
    first = view.experiments[0]
    text = f"It fires on red by {{e{first.number}.effect}} [e{first.number}]."
    return Conclusion(label="red things", concept="red", text=text, verdicts=(judge(view.stated[0], first),))


def concluding() -> Scripted:
    return Scripted([weigh_red, last])


async def test_a_conclusion_that_predicts_enough_is_believed_at_once(run_one: RunOne, scoring: Score) -> None:
    planner = concluding()
    outcome = await run_one(planner, tools=scoring(0.3))
    assert isinstance(outcome.decision, Conclusion) and planner.asked == [0, 1]


async def test_one_that_predicts_too_little_comes_back_with_its_score_and_what_it_gets_wrong(
    run_one: RunOne, scoring: Score, context: ToolContext, run: str
) -> None:
    told: list[str] = []

    def gives_up(view: ThreadView) -> Abstention:
        told.extend(note.text for note in view.notes)
        return Abstention(reason="Red is not all of it.")

    planner = Scripted([*concluding().lines, gives_up])
    outcome = await run_one(planner, tools=scoring(0.2))
    assert outcome.by == "planner" and isinstance(outcome.decision, Abstention), "abstaining is respected"
    (note,) = told
    assert "`red` predicts the component at 0.2" in note and "e3 shows pictures that it gets wrong" in note
    tools = [one.tool for one in context.store.queries.experiments(run, str(COMPONENT), test=True)]
    assert tools == ["weigh", "score_description", "misjudged"]


async def test_the_same_concept_once_more_is_a_last_word_and_is_believed_to_be_tested(
    run_one: RunOne, scoring: Score
) -> None:
    planner = concluding()
    outcome = await run_one(planner, tools=scoring(0.1))
    assert isinstance(outcome.decision, Conclusion) and planner.asked == [0, 1, 2]


async def test_a_last_word_that_predicts_nothing_ends_the_thread_without_words(
    run_one: RunOne, scoring: Score
) -> None:
    outcome = await run_one(concluding(), tools=scoring(0.0))
    assert outcome.by == "loop" and isinstance(outcome.decision, Abstention)
    assert outcome.decision.reason == (
        "`red` predicts nothing on pictures that nobody looked at: 0 correlation [e2]."
    )


async def test_without_revisions_the_first_word_is_the_last(run_one: RunOne, scoring: Score) -> None:
    planner = concluding()
    outcome = await run_one(planner, tools=scoring(0.2), limits=Limits(revisions=0))
    assert isinstance(outcome.decision, Conclusion) and planner.asked == [0, 1]


async def test_a_score_that_the_planner_asked_for_itself_is_not_made_again(
    run_one: RunOne, scoring: Score, context: ToolContext, run: str
) -> None:
    arguments = {"component": str(COMPONENT), "concept": "red"}
    asks = Calls(calls=(Call.model_validate({"tool": "score_description", "arguments": arguments}),))
    tools = scoring(0.5)

    planner = Scripted([weigh_red, lambda view: asks, last])
    outcome = await run_one(planner, tools=tools)
    assert isinstance(outcome.decision, Conclusion)
    made = context.store.queries.experiments(run, str(COMPONENT), test=True)
    assert [one.tool for one in made] == ["weigh", "score_description"]


async def test_where_no_tool_scores_every_conclusion_that_keeps_to_the_rules_is_believed(
    run_one: RunOne,
) -> None:
    assert isinstance((await run_one(concluding(), tools=[WEIGH])).decision, Conclusion)
