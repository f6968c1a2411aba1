"""The loop with planners that follow a script: what is done, what comes back as a note, and how a thread ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.decision import Abstention, Call, Calls, Conclusion
from agent.record import asked_of
from agent.state import Limits
from tests.agent.conftest import COMPONENT, RunOne
from tests.agent.weighing import Scripted, conclusion, give_up, hypothesis, weigh_red, weighing
from tools.budget import Budget
from tools.context import ToolContext

pytestmark = pytest.mark.asyncio


async def test_a_thread_ends_in_a_conclusion_with_its_numbers_filled_in(
    run_one: RunOne, context: ToolContext, run: str
) -> None:
    outcome = await run_one(Scripted([weigh_red, conclusion]))
    number = context.store.queries.experiments(run)[0].number
    assert isinstance(outcome.decision, Conclusion) and outcome.by == "planner"
    assert outcome.decision.text == f"It fires on red by 0.62 sd [e{number}]."
    assert outcome.evidence == (number,)
    (stated,) = context.store.queries.hypotheses(run, str(COMPONENT))
    assert [verdict.outcome for verdict in stated.verdicts] == ["supports"]


async def test_an_abstention_ends_a_thread_at_once(run_one: RunOne) -> None:
    outcome = await run_one(Scripted([give_up]))
    assert outcome.decision == Abstention(reason="nothing is stable")
    assert outcome.steps == 1


async def test_a_call_that_can_not_be_carried_out_comes_back_as_a_note(run_one: RunOne) -> None:
    seen: list[str] = []

    def look(view: object) -> Abstention:
        seen.extend(note.text for note in view.notes)  # type: ignore[attr-defined]
        return Abstention(reason="nothing is stable")

    await run_one(
        Scripted(
            [
                lambda view: Calls(
                    calls=(
                        Call(tool="wiegh"),
                        weighing(view, "mauve"),
                        Call(tool="weigh", unreadable="{component"),
                    )
                ),
                look,
            ]
        )
    )
    assert "did you mean `weigh`" in seen[0]
    assert "`mauve` is not a known concept; say red" in seen[1]
    assert "not a JSON object" in seen[2]


async def test_turns_in_which_nothing_works_end_a_thread_after_three(run_one: RunOne) -> None:
    planner = Scripted([lambda view: Calls(calls=(weighing(view, "mauve"),))])
    outcome = await run_one(planner)
    assert isinstance(outcome.decision, Abstention) and outcome.by == "loop"
    assert "3 turns in a row did nothing" in outcome.decision.reason and "mauve" in outcome.decision.reason
    assert planner.asked == [0, 1, 2]


async def test_one_working_call_starts_the_count_of_failures_anew(run_one: RunOne) -> None:
    bad = [lambda view: Calls(calls=(weighing(view, "mauve"),))] * 2
    outcome = await run_one(Scripted([*bad, weigh_red, *bad, conclusion]))
    assert isinstance(outcome.decision, Conclusion)


async def test_a_refused_text_goes_back_and_its_revision_is_accepted(run_one: RunOne) -> None:
    notes: list[str] = []

    def revised(view: object) -> Conclusion:
        notes.extend(note.text for note in view.notes if note.kind == "revision")  # type: ignore[attr-defined]
        return conclusion(view)  # type: ignore[arg-type]

    outcome = await run_one(
        Scripted(
            [weigh_red, lambda view: conclusion(view, "It fires on red by 0.9 [e#]. It loves red."), revised]
        )
    )
    assert isinstance(outcome.decision, Conclusion) and outcome.steps == 3
    assert '"It loves red." cites no experiment' in notes[0] and "`0.9` is not a number" in notes[0]


async def test_a_text_that_is_refused_too_often_ends_in_an_abstention_with_the_reason(
    run_one: RunOne,
) -> None:
    planner = Scripted([weigh_red, lambda view: conclusion(view, "It loves red.")])
    outcome = await run_one(planner, limits=Limits(revisions=2))
    assert isinstance(outcome.decision, Abstention) and outcome.by == "loop"
    assert "refused 3 times" in outcome.decision.reason and "cites no experiment" in outcome.decision.reason
    assert planner.asked == [0, 1, 2, 3]


@pytest.mark.parametrize(("concept", "told"), [("mauve", "`mauve` is not a known word"), ("red &", "red &")])
async def test_a_concept_that_could_not_be_scored_is_refused_before_it_is_believed(
    run_one: RunOne, concept: str, told: str
) -> None:
    text = f"It fires on {concept.rstrip(' &')} by {{e#.effect}} [e#]."
    planner = Scripted([weigh_red, lambda view: conclusion(view, text, concept)])
    outcome = await run_one(planner)
    assert isinstance(outcome.decision, Abstention)
    assert "can't be judged in pictures" in outcome.decision.reason and told in outcome.decision.reason


async def test_what_a_refusal_quotes_is_no_evidence(run_one: RunOne) -> None:
    planner = Scripted([weigh_red, lambda view: conclusion(view, "It loves {e99.size} [e77].")])
    outcome = await run_one(planner)
    assert outcome.by == "loop" and "e99" in outcome.decision.reason  # type: ignore[union-attr]
    assert outcome.evidence == ()


async def test_a_spent_budget_leads_to_a_last_decision(run_one: RunOne, context: ToolContext) -> None:
    told: list[str] = []

    def last(view: object) -> Conclusion:
        told.append(view.finish_now)  # type: ignore[attr-defined]
        return conclusion(view)  # type: ignore[arg-type]

    outcome = await run_one(Scripted([weigh_red, last]), context=replace(context, budget=Budget(calls=1)))
    assert isinstance(outcome.decision, Conclusion)
    assert told == ["the budget is nearly spent"] and outcome.finish == told[0]


async def test_calls_past_the_budget_are_not_made(run_one: RunOne, context: ToolContext, run: str) -> None:
    def greedy(view: object) -> Calls:
        return Calls(
            propose=(hypothesis(),),
            calls=tuple(weighing(view, concept) for concept in ("red", "blue", "bare")),  # type: ignore[arg-type]
        )

    outcome = await run_one(Scripted([greedy, give_up]), context=replace(context, budget=Budget(calls=2)))
    assert len(context.store.queries.experiments(run)) == 2
    assert "the budget of 2 calls is spent" in outcome.finish


async def test_more_experiments_after_the_last_turn_are_refused(run_one: RunOne) -> None:
    planner = Scripted([weigh_red, lambda view: Calls(calls=(weighing(view, "blue"),))])
    outcome = await run_one(planner, limits=Limits(steps=2, revisions=1))
    assert (
        isinstance(outcome.decision, Abstention) and "only `conclude` or `abstain`" in outcome.decision.reason
    )
    assert outcome.finish == "the last turn is reached"


async def test_the_same_experiment_twice_is_answered_with_its_number(
    run_one: RunOne, context: ToolContext, run: str
) -> None:
    again = Scripted([weigh_red, lambda view: Calls(calls=(weighing(view),)), give_up])
    await run_one(again)
    (experiment,) = context.store.queries.experiments(run)
    rows = context.store.queries.steps(run, str(COMPONENT))
    assert f"is e{experiment.number} already" in asked_of(rows[2].decision).notes[0].text


async def test_a_verdict_that_no_experiment_bears_out_is_not_recorded(
    run_one: RunOne, context: ToolContext, run: str
) -> None:
    def wishful(view: object) -> Calls:
        verdict = conclusion(view).verdicts[0]  # type: ignore[arg-type]
        return Calls(verdicts=(verdict.model_copy(update={"effect": 0.9, "ci": (0.8, 1.0)}),))

    await run_one(Scripted([weigh_red, wishful, give_up]))
    assert context.store.queries.hypotheses(run, str(COMPONENT))[0].verdicts == []
