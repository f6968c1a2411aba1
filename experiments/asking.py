"""A question from its words to a finding with receipts: understood, measured where the store does not know, recorded.

Knows the order of work and how a question ends: answered, not known, or the asker's mistake. Knows nothing about kinds
of questions, which belong to agent/ask. Whatever was measured stands in the store when the question is asked again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from agent.ask.answer import Answer, check
from agent.ask.asking import Asking
from agent.ask.compare import compare
from agent.ask.grammar import understood
from agent.ask.known import known
from agent.ask.questions import Compare, Known, Question, Used, WhatDoes, Which, Why
from agent.ask.used import used
from agent.ask.what import Labelled, what
from agent.ask.which import which
from agent.ask.why import Shown, why
from agent.planner import Planner
from experiments.allowance import Allowance
from experiments.label import Drive, begin, carry_on
from experiments.workplace import Workplace
from store.address import Address
from store.errors import PlannerError, UserError
from store.records import Finding
from store.views import Found, RunEnd
from tools.budget import BudgetReached
from tools.methods.answers import refuse_wordless
from tools.methods.piles import presence

CALLS = 16
"""Tool calls that a question may cost unless somebody says otherwise; a description has a budget of its own."""
NOT_KNOWN = ("pairs", "gap", "rare", "scope")
"""Refusals of tools that are an answer: what was asked can't be measured here. All others are the asker's mistake."""


@dataclass(frozen=True)
class Asked:
    """A finding as it stands in the store, how its run ended, and how many experiments it measured and found there."""

    found: Found
    status: RunEnd
    made: int
    reused: int


def ask(
    workplace: Workplace,
    text: str,
    planner: Planner,
    *,
    words: Mapping[str, Any],
    allowance: Allowance | None = None,
    labelling: Allowance | None = None,
    shown: Shown | None = None,
    drive: Drive = asyncio.run,
) -> Asked:
    """`words` are the command's, which the run remembers; `shown` is the picture and question that a "why" is about.

    Raises UsageError for a question of no known kind, and UserError for concepts, components and targets that it can't
    be asked of; nothing is recorded then.
    """
    question = understood(text, workplace.extent, workplace.world.train.kinds)
    workplace.register()
    _check(workplace, question, shown)
    recorder = workplace.store.recorder
    run = recorder.open_run(
        "ask",
        workplace.target.fingerprint,
        {**words, "question": text, "understood": question.understood},
        workplace.seed,
        planner.name,
    )
    budget = (allowance or Allowance(calls=CALLS)).budget()
    asking = Asking(
        workplace.store,
        workplace.target.fingerprint,
        partial(workplace.context, budget),
        run,
        words,
    )

    def label(component: Address) -> Labelled:
        allowed = labelling or Allowance()
        asked = {**words, "components": str(component), "calls": allowed.calls}
        asked |= {"forwards": allowed.forwards or 0, "seconds": allowed.seconds or 0}
        begun = begin(workplace, [component], planner.name, asked)
        carry_on(workplace, begun, planner, allowed, drive=drive)
        description = workplace.store.queries.description(begun, str(component))
        assert description is not None  # a run that has ended has described its component
        return begun, description

    status: RunEnd = "done"
    try:
        answer = _answered(asking, question, label, shown)
        if not isinstance(question, WhatDoes):
            check(answer, asking.experiments)
    except BudgetReached as error:
        answer, status = Answer("", f"{error.message} before it could be answered"), "budget"
    except PlannerError as error:
        if error.kind not in NOT_KNOWN:
            recorder.end_run(run, "failed")
            raise UserError(
                error.message.removesuffix(f"; {error.hint}"), kind=error.kind, hint=error.hint
            ) from error
        answer = Answer("", error.message)
    except KeyboardInterrupt:
        recorder.end_run(run, "interrupted")
        raise
    except Exception:
        recorder.end_run(run, "failed")
        raise
    recorder.finding(run, 1, _finding(text, question, answer, asking))
    recorder.end_run(run, status)
    return Asked(workplace.store.queries.finding(run), status, asking.made, asking.found)


def _answered(asking: Asking, question: Question, label: Any, shown: Shown | None) -> Answer:
    match question:
        case WhatDoes():
            return what(asking, question, label)
        case Which():
            return which(asking, question)
        case Used():
            return used(asking, question)
        case Why():
            assert shown is not None  # _check refuses it
            return why(asking, question, shown)
        case Compare():
            return compare(asking, question)
        case Known():
            return known(asking, question)


def _finding(text: str, question: Question, answer: Answer, asking: Asking) -> Finding:
    return Finding(
        question=" ".join(text.split()),
        kind=question.kind,
        understood=question.understood,
        status="answered" if answer.text else "unknown",
        answer=answer.text,
        reason=answer.reason,
        rows=answer.rows,
        evidence=tuple(asking.experiments),
        described=answer.described,
        artifacts=dict(answer.artifacts),
    )


def _check(workplace: Workplace, question: Question, shown: Shown | None) -> None:
    """Raises UserError for what can be told before anything is measured: words that the judge does not know, a target
    that answers no questions, a picture that is missing."""
    if isinstance(question, Known | WhatDoes | Compare):
        return
    context = workplace.context(Allowance().budget())
    if isinstance(question, Which | Used) and question.concept not in context.images.kinds:
        presence(context, question.concept, [context.images.asked(0)])
    causal = isinstance(question, Used | Why) or (isinstance(question, Which) and question.role != "reads")
    if causal:
        try:
            refuse_wordless(context)
        except PlannerError as error:
            raise UserError(
                error.message, kind=error.kind, hint="ask which of its components read a concept"
            ) from error
    if isinstance(question, Why) and shown is None:
        raise UserError(
            "a question about one answer needs the picture and what was asked about it",
            kind="question",
            hint="add `--image KEY_OR_FILE --question '…'`",
        )
