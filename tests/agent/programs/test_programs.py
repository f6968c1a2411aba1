"""Programs in a thread: their calls are experiments, their end is told, and killed ones go on where they were."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from agent.bench import Bench
from agent.decision import Abstention, Calls, Conclusion, Program
from agent.graph import run_thread
from agent.programs.sandbox import Ask, Ended, Unanswered
from agent.record import Outcome
from agent.thread import Note, ThreadView
from agent.transcript import messages
from store.recorder import Turn
from tests.agent.conftest import COMPONENT, RunOne
from tests.agent.weighing import (
    WEIGH,
    Scripted,
    WeighArguments,
    Weighed,
    conclusion,
    give_up,
    hypothesis,
    weigh,
    weighing,
)
from tools import door
from tools.budget import Budget
from tools.context import Memory, ToolContext
from tools.tool import TOOLS

pytestmark = pytest.mark.asyncio

EACH = """
found = {}
for concept in ["red", "mauve", "blue"]:
    try:
        r = weigh("language.0.mlp.3", concept)
    except ValueError as error:
        print(error)
        continue
    found[concept] = r["quantities"]["effect"]["value"]
    print("e" + str(r["experiment"]), r["summary"])
print(ranked(found)[0][0], "is first")
"""


class Killed(Exception):
    """Stands for the end of the process."""


def program(source: str) -> Any:
    return lambda view: Program(source=source)


class Watching(Scripted):
    """A scripted planner that keeps the last view it was shown."""

    view: ThreadView

    async def decide(self, thread: ThreadView, tools: Sequence[Any], /) -> Any:
        self.view = thread
        return await super().decide(thread, tools)


async def test_every_call_of_a_program_is_an_experiment_of_its_own(
    run_one: RunOne, context: ToolContext, run: str
) -> None:
    planner = Watching([program(EACH), give_up])
    await run_one(planner)
    made = context.store.queries.experiments(run)
    assert [(one.step, one.call, one.arguments["concept"]) for one in made] == [
        (0, 0, "red"),
        (0, 2, "blue"),
    ]
    assert context.budget.spent_calls == 2
    (note,) = planner.view.notes
    assert (note.kind, note.text) == ("program", "it ran to its end")
    assert note.printed == (
        "e1 red: 15 of 15 pictures agree\n`mauve` is not a known concept; say red, blue, green, bare\n"
        "e2 blue: 15 of 15 pictures agree\nred is first\n"
    )


async def test_what_a_program_measured_carries_a_conclusion(run_one: RunOne) -> None:
    outcome = await run_one(
        Scripted(
            [
                lambda view: Calls(propose=(hypothesis(),), calls=(weighing(view, "blue"),)),
                program('print(weigh("language.0.mlp.3", "red")["experiment"])'),
                conclusion,
            ]
        )
    )
    assert isinstance(outcome.decision, Conclusion) and outcome.decision.text.startswith("It fires on red by")


async def test_a_language_model_reads_its_program_and_what_came_of_it(run_one: RunOne) -> None:
    planner = Watching([program(EACH), give_up])
    await run_one(planner)
    told = messages(planner.view)
    (call,) = told[2]["tool_calls"]
    assert call["function"]["name"] == "run_program" and "mauve" in call["function"]["arguments"]
    assert told[3]["tool_call_id"] == call["id"]
    for words in ('"ended": "it ran to its end"', "red is first", '"experiment": "e2"', "weigh({"):
        assert words in told[3]["content"]


async def test_a_type_error_goes_back_with_its_line_and_nothing_has_run(
    run_one: RunOne, context: ToolContext, run: str
) -> None:
    planner = Watching([program('weigh("language.0.mlp.3", "red")\nweigh(concept="red")'), give_up])
    await run_one(planner)
    assert context.store.queries.experiments(run) == []
    (note,) = planner.view.notes
    assert note.kind == "repair"
    assert note.text.startswith("the program was not run: line 2: No argument provided for required")
    assert note.text in messages(planner.view)[3]["content"]


async def test_an_error_keeps_what_was_measured_and_tells_its_line(
    run_one: RunOne, context: ToolContext, run: str
) -> None:
    planner = Watching([program('weigh("language.0.mlp.3", "red")\nx = 1 / 0'), give_up])
    await run_one(planner)
    assert len(context.store.queries.experiments(run)) == 1
    assert (
        planner.view.notes[0].text == "it stopped with an error: line 2: ZeroDivisionError: division by zero"
    )


async def test_a_repeated_call_gives_its_experiment_again_and_costs_nothing(
    run_one: RunOne, context: ToolContext, run: str
) -> None:
    twice = 'a = weigh("language.0.mlp.3", "red")\nb = weigh("language.0.mlp.3", concept="red")\n'
    planner = Watching(
        [program(twice + 'print(a["experiment"] == b["experiment"])'), program(twice), give_up]
    )
    await run_one(planner)
    assert len(context.store.queries.experiments(run)) == context.budget.spent_calls == 1
    assert planner.view.notes[0].printed == "True\n"


async def test_programs_that_measure_nothing_new_end_a_thread_after_three(run_one: RunOne) -> None:
    outcome = await run_one(Scripted([program("print(1)")]))
    assert (
        isinstance(outcome.decision, Abstention) and "3 turns in a row did nothing" in outcome.decision.reason
    )


async def test_a_spent_budget_stops_a_program_and_leads_to_a_last_decision(
    run_one: RunOne, context: ToolContext, run: str
) -> None:
    source = (
        'for concept in ["red", "blue", "bare"]:\n    print(weigh("language.0.mlp.3", concept)["summary"])'
    )
    outcome = await run_one(
        Scripted([program(source), give_up]), context=replace(context, budget=Budget(calls=2))
    )
    assert len(context.store.queries.experiments(run)) == 2
    assert "the budget of 2 calls is spent" in outcome.finish


async def test_a_thread_without_a_sandbox_refuses_programs(run_one: RunOne) -> None:
    planner = Watching([program("print(1)"), give_up])
    await run_one(planner, sandbox=None)
    assert "programs are switched off: call the tools one by one" in planner.view.notes[0].text


async def live(
    context: ToolContext, run: str, lines: Sequence[Any], budget: Budget | None = None
) -> tuple[Outcome, ThreadView]:
    """One process's life: budget and memory begin anew, the store stays."""
    planner = Watching(lines)
    with Bench() as bench:
        alive = replace(context, budget=budget or Budget(calls=20), memory=Memory())
        outcome = await run_thread(alive, planner, bench, run, COMPONENT, InMemorySaver(), tools=[WEIGH])
    return outcome, planner.view


@pytest.mark.parametrize("fatal", ["red", "blue", "bare"])
async def test_killed_within_a_program_it_ends_with_the_same_experiments(
    context: ToolContext, run: str, monkeypatch: pytest.MonkeyPatch, fatal: str
) -> None:
    source = (
        'for concept in ["red", "blue", "bare"]:\n    print(weigh("language.0.mlp.3", concept)["experiment"])'
    )
    asked: list[str] = []

    def counted(context: ToolContext, arguments: WeighArguments) -> Weighed:
        asked.append(arguments.concept)
        return weigh(context, arguments)

    def deadly(context: ToolContext, arguments: WeighArguments) -> Weighed:
        if arguments.concept == fatal:
            raise Killed
        return counted(context, arguments)

    with monkeypatch.context() as first_life:
        first_life.setitem(TOOLS, "weigh", replace(WEIGH, function=deadly))
        with pytest.raises(Killed):
            await live(context, run, [program(source)])
    monkeypatch.setitem(TOOLS, "weigh", replace(WEIGH, function=counted))
    budget = Budget(calls=20)
    _, view = await live(context, run, [program("print('another one')"), give_up], budget)
    made = context.store.queries.experiments(run)
    assert [(one.number, one.call, one.arguments["concept"]) for one in made] == [
        (1, 0, "red"),
        (2, 1, "blue"),
        (3, 2, "bare"),
    ]
    assert asked == ["red", "blue", "bare"] and budget.spent_calls == 3
    assert view.notes[0].printed == "1\n2\n3\n"


async def test_a_program_that_would_ask_for_something_else_when_run_again_is_stopped(
    context: ToolContext, run: str
) -> None:
    recorder = context.store.recorder
    recorder.step(run, str(COMPONENT), 0, Program(source='weigh("language.0.mlp.3", "blue")').model_dump())
    red = {"component": "language.0.mlp.3", "concept": "red"}
    door.call(context, Turn(run, str(COMPONENT), 0, 0), "weigh", red)
    _, view = await live(context, run, [give_up])
    assert "run again, it calls `weigh` where e1 is `weigh`" in view.notes[0].text
    assert len(context.store.queries.experiments(run)) == 1


async def test_any_sandbox_that_keeps_to_the_protocol_will_do(
    run_one: RunOne, context: ToolContext, run: str
) -> None:
    class Plain:
        """Asks once, and ends."""

        async def run(self, source: str, stubs: str, names: Sequence[str], ask: Ask, /) -> Ended:
            answer = await ask("weigh", [], {"component": "language.0.mlp.3", "concept": source})
            return Ended("done", printed=answer["summary"])

    planner = Watching([program("red"), give_up])
    await run_one(planner, sandbox=Plain())
    assert planner.view.notes == (
        Note(0, "program", "it ran to its end", 0, printed="red: 15 of 15 pictures agree"),
    )


@pytest.mark.parametrize("odd", [math.nan, [math.inf], {"a": [-math.inf]}])
async def test_what_no_json_can_say_is_refused_whoever_hands_it_over(
    run_one: RunOne, context: ToolContext, run: str, odd: Any
) -> None:
    class Careless:
        """Hands over what the keeper would not."""

        async def run(self, source: str, stubs: str, names: Sequence[str], ask: Ask, /) -> Ended:
            with pytest.raises(Unanswered, match="was not run"):
                await ask("weigh", [], {"component": "language.0.mlp.3", "concept": odd})
            return Ended("done")

    await run_one(Watching([program("red"), give_up]), sandbox=Careless())
    assert context.store.queries.experiments(run) == []
