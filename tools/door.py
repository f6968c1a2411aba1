"""The one door to the tools: planners, programs, commands and scoring all come through here.

Checks the words, finds what has been measured already, charges the budget, measures, records. Knows no tool by name.
A planner's mistake comes back as PlannerError whose text says what to do instead; it is not recorded.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

import tools.methods  # noqa: F401  # registers every tool
from store.errors import PlannerError, UserError
from store.records import Cost, Experiment
from tools.budget import BudgetReached, Payer, paying
from tools.context import ToolContext
from tools.meter import metered
from tools.tool import TOOLS, Arguments, Result, Tool

if TYPE_CHECKING:
    from store.recorder import Turn

USERS_OWN = ("image", "memory", "device", "missing_weights", "store", "disk", "index", "endpoint")
"""Kinds of UserError, by how they begin, that no other argument would cure: they end the run. All others are due to
the planner's words."""


def call(context: ToolContext, turn: Turn, name: str, arguments: Mapping[str, Any]) -> Experiment:
    """The experiment that this call is: read from the record where the turn has been taken, measured otherwise.

    Raises PlannerError for an unknown tool, or arguments that do not fit or name what is not there; BudgetReached
    when the budget is spent; RuntimeError when the turn is on record with another call.
    """
    tool, checked = check(name, arguments)
    words = checked.model_dump(mode="json")
    found = context.store.recorder.find(turn)
    if found is not None:
        if (found.tool, found.arguments) != (name, words):
            raise RuntimeError(
                f"{turn} is on record as {found.tool}({found.arguments}), not as {name}({words})"
            )
        _charge(context, turn, found.result["cost"]["forwards"])
        return found
    context.budget.check()
    payer = Payer(context.budget, partial(context.store.recorder.payment, turn.run, turn.thread))
    with paying(payer):
        result = _measured(replace(context, turn=turn), tool, checked)
    experiment = context.store.recorder.experiment(
        turn,
        tool=name,
        arguments=words,
        seed=context.seed,
        fingerprint=context.target.fingerprint,
        code=code_version(),
        result=result.model_dump(mode="json", by_alias=True),
        split=type(result).measured_on,
        seconds=result.cost.seconds,
    )
    _charge(context, turn, result.cost.forwards)
    return experiment


def check(name: str, arguments: Mapping[str, Any]) -> tuple[Tool, Arguments]:
    """The tool and its arguments as it reads them. Raises PlannerError with the field and the rule it broke."""
    if name not in TOOLS:
        close = get_close_matches(name, TOOLS, n=1, cutoff=0.5)
        hint = f"did you mean `{close[0]}`?" if close else f"tools: {', '.join(sorted(TOOLS))}"
        raise PlannerError(f"`{name}` is not a tool; {hint}", kind="unknown_tool", hint=hint)
    tool = TOOLS[name]
    try:
        return tool, tool.arguments.model_validate(dict(arguments))
    except ValidationError as error:
        takes = ", ".join(tool.arguments.model_fields)
        broken = "; ".join(_rule(tool, dict(problem)) for problem in error.errors())
        raise PlannerError(
            f"`{name}` was not run: {broken}", kind="arguments", hint=f"`{name}` takes {takes}"
        ) from None


@cache
def code_version() -> str:
    """The package's version and a hash of what measures: equal for equal code, whatever tool keeps its history."""
    digest = hashlib.sha256()
    here = Path(__file__).resolve().parent
    for path in sorted(here.rglob("*.py")):
        digest.update(str(path.relative_to(here)).encode() + b"\0" + path.read_bytes())
    return f"{version('maieutic')}+{digest.hexdigest()[:12]}"


def _measured(context: ToolContext, tool: Tool, arguments: Arguments) -> Result:
    """The tool's result with what it cost. A mistake in the planner's words becomes a PlannerError."""
    began = time.monotonic()
    own = context.budget.own
    tokens, requests, money, unknown = own.spent_tokens, own.requests, own.spent_money, own.unknown
    with metered() as meter:
        try:
            result: Result = tool.function(context, arguments)
        except UserError as error:
            if error.kind.startswith(USERS_OWN):
                raise
            context.budget.charge(0, meter.rows)
            told = f"{error.message}; {error.hint}" if error.hint else error.message
            raise PlannerError(told, kind=error.kind, hint=error.hint) from error
        except (PlannerError, BudgetReached):
            context.budget.charge(0, meter.rows)
            raise
    cost = Cost(
        forwards=meter.rows,
        seconds=round(time.monotonic() - began, 3),
        tokens=own.spent_tokens - tokens,
        requests=own.requests - requests,
        money=None if own.unknown > unknown else round(own.spent_money - money, 9),
    )
    return result.model_copy(update={"cost": cost})


def _charge(context: ToolContext, turn: Turn, forwards: int) -> None:
    """A turn is paid for once in a process; a resumed run pays again for what it finds, and stands where it stood."""
    if turn not in context.memory.charged:
        context.memory.charged.add(turn)
        context.budget.charge(1, forwards)


def _rule(tool: Tool, problem: Mapping[str, Any]) -> str:
    """One broken rule: the field, what was given, what it must be."""
    field = ".".join(map(str, problem["loc"])) or "arguments"
    if problem["type"] == "missing":
        return f"`{field}` is missing"
    if problem["type"] == "extra_forbidden":
        close = get_close_matches(field, tool.arguments.model_fields, n=1, cutoff=0.5)
        takes = (
            f"did you mean `{close[0]}`?" if close else f"it takes {', '.join(tool.arguments.model_fields)}"
        )
        return f"there is no `{field}` ({takes})"
    told = str(problem["msg"])
    return f"`{field}` = `{str(problem['input'])[:60]}`: {told[:1].lower()}{told[1:]}"
