"""The loop's nodes: decide, act, record, check, finish.

Each does one thing and may be killed in it: what a node writes goes under a key that it finds again when it is run once
more. A decision is committed before anything acts on it. Knows nothing about the order of nodes (graph.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from langgraph.runtime import Runtime

from agent.check import check_abstention, check_conclusion, check_verdict
from agent.decision import Abstention, Call, Calls, Conclusion, Decision, Program, Reply
from agent.planner import Choice
from agent.programs.carrying import Hand, carried_out
from agent.programs.sandbox import Ended
from agent.programs.telling import noted
from agent.record import Outcome, asked_of, decision_of, outcome_row, read_view, step_row
from agent.repeats import before
from agent.replies import check_reply
from agent.selecting import SCORE, Selected, selected
from agent.state import Desk, State, as_values, pending
from agent.steps import STEPS, build
from agent.thread import Note, ThreadView, cut
from store.errors import PlannerError, UserError
from store.recorder import Turn
from store.records import Experiment
from tools import door
from tools.budget import BudgetReached, Payer, paying
from tools.context import ToolContext
from tools.methods.piles import presence

LAST_STEP = "the last turn is reached"
LOW_BUDGET = "the budget is nearly spent"
AGAIN = "this is e{} already: its result again, neither measured nor charged once more; ask something else"
LOOK = "look"
"""A second look shows pictures that an endpoint may hold no longer: it is a turn in which something was done."""


async def plan(state: State, runtime: Runtime[Desk]) -> dict[str, Any]:
    """Asks the planner, unless the record already holds the decision of this step, and commits what it says."""
    desk, step, asked = runtime.context, state["step"] + 1, pending(state)
    row = _row(desk, step)
    if row is None:
        view = read_view(desk.context, desk.run, desk.subject, step, desk.limits.steps - step, asked)
        try:
            desk.bench.check()
            choice = await _chosen(desk, view)
        except BudgetReached as error:
            ended = f"{error.message} before anything could be concluded"
            return {"ended": ended, "finish": error.message, "notes": state["notes"]}
        store = desk.context.store
        prompt = store.artifacts.put(choice.prompt.encode(), "application/json") if choice.prompt else ""
        usage = choice.usage.model_dump() if choice.usage else None
        row = store.recorder.step(
            desk.run, desk.thread, step, step_row(choice.decision, asked), prompt, usage
        )
    return {"step": step, "kind": row["kind"], "finish": asked_of(row).finish, "notes": [], "worked": 0}


async def _chosen(desk: Desk, view: ThreadView) -> Choice:
    """The planner's decision; what it asks of language models is paid from this component's budget, and kept."""
    recorder = desk.context.store.recorder
    with paying(Payer(desk.context.budget, partial(recorder.payment, desk.run, desk.thread))):
        return await desk.planner.decide(view, desk.tools)


async def act(state: State, runtime: Runtime[Desk]) -> dict[str, Any]:
    """Carries out the step's calls, one by one, on the model thread."""
    desk, step = runtime.context, state["step"]
    decision = _decision(desk, step)
    view = _view(desk, state)
    notes: list[Note] = []
    made = list(view.experiments)
    worked = 0
    if isinstance(decision, Program):
        return await _program(desk, view, decision)
    assert isinstance(decision, Calls)
    for place, call in enumerate(decision.calls):
        try:
            _refuse(view, call)
            if again := before(made, call):
                notes.append(Note(step, "repair", AGAIN.format(again.number), place, again.number))
                worked += call.tool == LOOK
                continue
            turn = Turn(desk.run, desk.thread, step, place)
            made.append(
                await desk.bench.submit(partial(door.call, desk.context, turn, call.tool, call.arguments))
            )
            worked += 1
        except PlannerError as error:
            notes.append(Note(step, "repair", cut(error.message), place))
        except BudgetReached as error:
            return {"notes": as_values(notes), "worked": worked, "finish": error.message}
    if not (decision.calls or decision.propose or decision.verdicts):
        notes.append(Note(step, "repair", "nothing was asked for: call a tool, `conclude` or `abstain`"))
    return {"notes": as_values(notes), "worked": worked}


async def _program(desk: Desk, view: ThreadView, program: Program) -> dict[str, Any]:
    """Carries out a program's calls as they come, in a sandbox; run again, it gets the answers that are recorded."""
    if desk.sandbox is None:
        text = "programs are switched off: call the tools one by one"
        return {"notes": as_values([Note(view.step, "repair", text, 0)])}

    async def measure(turn: Turn, name: str, arguments: Mapping[str, Any]) -> Experiment:
        return await desk.bench.submit(partial(door.call, desk.context, turn, name, arguments))

    tools = {tool.name: tool for tool in desk.tools}
    recorder = desk.context.store.recorder
    hand = Hand(recorder, desk.run, desk.thread, view.step, tools, measure, view.experiments)
    finish = ""
    try:
        ended = await carried_out(desk.sandbox, program.source, hand)
    except BudgetReached as error:
        ended, finish = Ended("limit", error.message), error.message
    note = noted(view.step, ended)
    return {"notes": as_values([note]), "worked": len(hand.made), **({"finish": finish} if finish else {})}


async def record(state: State, runtime: Runtime[Desk]) -> dict[str, Any]:
    """Records what the step proposed and judged, and says whether the thread has to end."""
    desk, step, limits = runtime.context, state["step"], runtime.context.limits
    decision, notes, worked = _decision(desk, step), list(state["notes"]), state["worked"]
    if isinstance(decision, Calls | Program):
        view, recorder = _view(desk, state), desk.context.store.recorder
        for number, hypothesis in enumerate(decision.propose, start=len(view.stated) + 1):
            recorder.hypothesis(desk.run, desk.thread, number, hypothesis)
            worked += 1
        for verdict in decision.verdicts:
            try:
                check_verdict(view, verdict)
                recorder.verdict(desk.run, desk.thread, verdict.hypothesis, verdict)
                worked += 1
            except PlannerError as error:
                notes += as_values([Note(step, "repair", cut(error.message))])
    repairs = 0 if worked else state["repairs"] + 1
    ended = (
        f"{repairs} turns in a row did nothing; the last refusal: {_last(notes)}"
        if repairs >= limits.repairs
        else ""
    )
    return {
        "notes": notes,
        "repairs": repairs,
        "ended": ended,
        "finish": state["finish"] or _reason(desk, step + 1),
    }


async def check(state: State, runtime: Runtime[Desk]) -> dict[str, Any]:
    """Believes a conclusion or an abstention, says what has to change, or ends the thread.

    What keeps to the rules is believed if it predicts enough on the select split; what does not goes back, as often as
    the limits allow, and the last word is believed unless it predicts nothing at all.
    """
    desk, step = runtime.context, state["step"]
    view, revisions = _view(desk, state), state["revisions"] + 1
    over = revisions > desk.limits.revisions
    ended = ""
    try:
        believed = _believed(view, _decision(desk, step), state["finish"])
        if not isinstance(believed, Conclusion):
            return {"accepted": True}
        await desk.bench.submit(partial(_judgeable, desk.context, believed.concept))
        last = over or bool(state["finish"])
        found = await desk.bench.submit(partial(_selected, desk, view, step, believed, last))
        if not (found.revise or found.nothing):
            return {"accepted": True}
        told, ended = found.revise or found.nothing, found.nothing
    except PlannerError as error:
        told = cut(error.message)
        ended = f"the conclusion was refused {revisions} times; the last refusal: {told}" if over else ""
    return {
        "notes": as_values([Note(step, "revision", told)]),
        "revisions": revisions,
        "ended": ended,
        "finish": state["finish"] or _reason(desk, step + 1),
    }


def _selected(desk: Desk, view: ThreadView, step: int, conclusion: Conclusion, last: bool) -> Selected:
    """Where no tool scores, everything that keeps to the rules is believed."""
    if all(tool.name != SCORE for tool in desk.tools):
        return Selected()
    turn = Turn(desk.run, desk.thread, step, 0)
    return selected(desk.context, view, turn, conclusion, last=last)


async def finish(state: State, runtime: Runtime[Desk]) -> dict[str, Any]:
    """Writes the outcome: the verdicts that came with a conclusion, and the last row of the thread."""
    desk, step, recorder = runtime.context, state["step"], runtime.context.context.store.recorder
    if state["ended"]:
        outcome = Outcome(Abstention(reason=state["ended"][:2000]), "loop", step + 1, state["finish"])
    else:
        decision = _believed(_view(desk, state), _decision(desk, step), state["finish"])
        outcome = Outcome(decision, "planner", step + 1, state["finish"])
        for verdict in decision.verdicts if isinstance(decision, Conclusion | Reply) else ():
            recorder.verdict(desk.run, desk.thread, verdict.hypothesis, verdict)
    recorder.step(
        desk.run, desk.thread, step + 1, outcome_row(outcome) | {"asked": {"notes": state["notes"]}}
    )
    return {}


def _believed(view: ThreadView, decision: Decision, finishing: str) -> Conclusion | Reply | Abstention:
    """The decision as it will stand. Raises PlannerError when it can't."""
    if isinstance(decision, Conclusion) and not view.goal:
        return check_conclusion(view, decision)
    if isinstance(decision, Reply) and view.goal:
        return check_reply(view, decision)
    if isinstance(decision, Abstention):
        return check_abstention(view, decision)
    name = "answer" if view.goal else "conclude"
    raise PlannerError(f"only `{name}` or `abstain` can be said now, because {finishing}", kind="finish")


def _judgeable(context: ToolContext, concept: str) -> None:
    """Raises PlannerError for a concept that could not be scored: unreadable, or in words that the judge lacks."""
    try:
        presence(context, concept, [context.images.asked(0)])
    except UserError as error:
        if error.kind in door.USERS_OWN:
            raise
        told = f"{error.message}; {error.hint}" if error.hint else error.message
        raise PlannerError(f"the concept can't be judged in pictures: {told}", kind="concept") from error


def _refuse(view: ThreadView, call: Call) -> None:
    """Raises PlannerError for a call that is no experiment."""
    if call.unreadable:
        raise PlannerError(
            f"`{call.tool}` was not run: its arguments are not a JSON object, or too long: `{call.unreadable[:80]}`",
            kind="arguments",
        )
    if call.tool in STEPS:
        build(view, call)
        raise PlannerError(
            f"`{call.tool}` is a step of its own: take it when the results are in", kind="arguments"
        )
    door.check(call.tool, call.arguments)


def _view(desk: Desk, state: State) -> ThreadView:
    """The thread before this step, whatever has been recorded since."""
    left = desk.limits.steps - state["step"]
    return read_view(desk.context, desk.run, desk.subject, state["step"], left, pending(state))


def _reason(desk: Desk, next_step: int) -> str:
    """Why the next decision has to be the last, or empty."""
    if next_step >= desk.limits.steps - 1:
        return LAST_STEP
    return LOW_BUDGET if desk.context.budget.low else ""


def _row(desk: Desk, step: int) -> dict[str, Any] | None:
    rows = desk.context.store.queries.steps(desk.run, desk.thread)
    return next((row.decision for row in rows if row.step == step), None)


def _decision(desk: Desk, step: int) -> Decision:
    row = _row(desk, step)
    assert row is not None, f"step {step} acts before it is recorded"
    return decision_of(row)


def _last(notes: list[dict[str, Any]]) -> str:
    return str(notes[-1]["text"]) if notes else "none"
