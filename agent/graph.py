"""The loop of one component, or of one question: plan → act → record → (plan | conclude) → check → (revise | finish).

Knows the order of nodes and how a killed thread goes on; knows nothing about what a node does (nodes.py) or which
component is worth a thread. Run again, it returns what is recorded and does nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import RetryPolicy
from sqlalchemy.exc import OperationalError

from agent import nodes
from agent.bench import Bench
from agent.planner import Planner
from agent.programs.processes import Processes
from agent.programs.sandbox import Sandbox
from agent.record import Outcome, outcome_of
from agent.state import Desk, Limits, State, beginning
from agent.thread import Goal
from store.address import Address
from store.recorder import Turn
from store.views import Step
from tools import door  # noqa: F401  # its import registers every tool
from tools.context import ToolContext
from tools.tool import TOOLS, Tool

Graph = CompiledStateGraph[State, Desk, State, State]
USUAL = Limits()
USUAL_SANDBOX: Sandbox = Processes()


async def run_thread(
    context: ToolContext,
    planner: Planner,
    bench: Bench,
    run: str,
    subject: Address | Goal,
    checkpoints: BaseCheckpointSaver[str],
    *,
    limits: Limits = USUAL,
    tools: Sequence[Tool] | None = None,
    sandbox: Sandbox | None = USUAL_SANDBOX,
) -> Outcome:
    """Carries one component to a conclusion or an abstention, or a goal to an answer, from wherever the record left it.

    `context.budget` is this thread's alone. Raises MaieuticError of kind "endpoint" when the planner can't be
    reached; the thread can be run again then, as after a kill. Without a `sandbox` programs are refused.
    """
    thread, queries = str(subject), context.store.queries
    config: RunnableConfig = {
        "configurable": {"thread_id": f"{run}/{thread}"},
        "recursion_limit": 3 * (limits.steps + limits.revisions) + 10,
    }
    rows = queries.steps(run, thread)
    if outcome_of(rows) is None:
        chosen = list(tools) if tools is not None else [TOOLS[name] for name in sorted(TOOLS)]
        desk = Desk(context, planner, bench, run, subject, chosen, limits, sandbox)
        graph = build_graph(checkpoints)
        _pay(context, run, thread)
        given = None if await _stands(graph, config, rows) else beginning(rows)
        await graph.ainvoke(given, config, context=desk, durability="sync")
    outcome = outcome_of(queries.steps(run, thread))
    assert outcome is not None, f"the thread {thread} of run {run} ended without an outcome"
    await checkpoints.adelete_thread(f"{run}/{thread}")
    return outcome


def build_graph(checkpoints: BaseCheckpointSaver[str]) -> Graph:
    """The loop, with checkpoints after every node."""
    patience = RetryPolicy(max_attempts=3, initial_interval=0.2, max_interval=2.0, retry_on=passes_by_itself)
    graph: StateGraph[State, Desk, State, State] = StateGraph(State, context_schema=Desk)
    for name, node in (
        ("plan", nodes.plan),
        ("conclude", nodes.plan),
        ("act", nodes.act),
        ("record", nodes.record),
        ("check", nodes.check),
        ("finish", nodes.finish),
    ):
        graph.add_node(name, node, retry_policy=patience)
    graph.add_conditional_edges(START, _asks)
    graph.add_conditional_edges("plan", _decided)
    graph.add_conditional_edges("conclude", _concluded)
    graph.add_edge("act", "record")
    graph.add_conditional_edges("record", _recorded)
    graph.add_conditional_edges("check", _checked)
    graph.add_edge("finish", END)
    return graph.compile(checkpointer=checkpoints)


def passes_by_itself(error: Exception) -> bool:
    """What a node is tried again for: a database that others hold for a moment. Endpoints have their own patience."""
    return isinstance(error, OperationalError) and "locked" in str(error)


def _asks(state: State) -> Literal["plan", "conclude"]:
    return "conclude" if state["finish"] else "plan"


def _decided(state: State) -> Literal["act", "check", "finish"]:
    if state["ended"]:
        return "finish"
    return "act" if state["kind"] in ("calls", "program") else "check"


def _concluded(state: State) -> Literal["check", "finish"]:
    return "finish" if state["ended"] else "check"


def _recorded(state: State) -> Literal["plan", "conclude", "finish"]:
    return "finish" if state["ended"] else _asks(state)


def _checked(state: State) -> Literal["plan", "conclude", "finish"]:
    return "finish" if state["accepted"] or state["ended"] else _asks(state)


async def _stands(graph: Graph, config: RunnableConfig, rows: Sequence[Step]) -> bool:
    """Whether there is a checkpoint to go on from, and it knows as much as the record (it may be from another life).

    Tasks, not `next`, say so: a thread killed between a node's end and its checkpoint has nothing `next`.
    """
    snapshot = await graph.aget_state(config)
    values: dict[str, Any] = snapshot.values
    last = rows[-1].step if rows else -1
    return (
        bool(snapshot.tasks)
        and values.keys() >= State.__annotations__.keys()
        and values["step"] in (last, last - 1)
    )


def _pay(context: ToolContext, run: str, thread: str) -> None:
    """A resumed thread stands where it stood: what its recorded experiments and requests cost is spent already.

    A budget that is new owes all of it, even where this process has paid for some from another one.
    """
    paid, new = context.memory.charged, context.budget.spent_calls == 0
    own, queries = context.budget.own, context.store.queries
    if not own.requests:
        for payment in queries.payments(run, thread):
            own.pay(payment.tokens, payment.money, payment.requests)
    for experiment in queries.experiments(run, thread):
        turn = Turn(run, thread, experiment.step, experiment.call)
        if new or turn not in paid:
            paid.add(turn)
            context.budget.charge(1, experiment.result.get("cost", {}).get("forwards", 0))
