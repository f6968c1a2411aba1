"""A question from its words to a finding with receipts: understood, measured where the store does not know, recorded.

Knows the order of work and how a question ends: answered, not known, or the asker's mistake. Knows nothing about kinds
of questions, which belong to agent/ask. Whatever was measured stands in the store when the question is asked again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from agent.ask.answer import Answer, check
from agent.ask.asking import Asking
from agent.ask.beside import Side, beside
from agent.ask.compare import compare
from agent.ask.grammar import asked, understood
from agent.ask.known import known
from agent.ask.needed import needed
from agent.ask.questions import Compare, Free, Known, Needed, Question, Used, WhatDoes, Which, Why
from agent.ask.used import used
from agent.ask.what import Labelled, what
from agent.ask.which import which
from agent.ask.why import Shown, why
from agent.builtin.without import BUILTIN
from agent.planner import Planner
from agent.thread import Goal
from experiments.allowance import Allowance
from experiments.label import begin, carry_on
from experiments.planned import planned
from experiments.terms import Terms
from experiments.workplace import Workplace
from store.address import Address
from store.errors import PlannerError, UserError
from store.records import Finding
from store.views import Found, RunEnd
from tools.budget import BudgetReached
from tools.methods.answers import refuse_wordless
from tools.methods.piles import presence

NOT_KNOWN = ("pairs", "gap", "rare", "scope", "no_path")
"""Refusals of tools that are an answer: what was asked can't be measured here. All others are the asker's mistake."""


@dataclass(frozen=True)
class Asked:
    """A finding as it stands in the store, how its run ended, and how many experiments it measured and found there."""

    found: Found
    status: RunEnd
    made: int
    reused: int


def ask(workplace: Workplace, text: str, terms: Terms, against: Workplace | None = None) -> Asked:
    """The question asked of one target, or of one and `against` another.

    Raises UsageError for a question of no known kind, and UserError for concepts, components and targets that it can't
    be asked of; nothing is recorded then.
    """
    places = [workplace] if against is None else [workplace, against]
    if against is not None and against.target.fingerprint == workplace.target.fingerprint:
        raise UserError(
            f"`{workplace.target.name}` is compared with itself", kind="question", hint="name another target"
        )
    questions = [_meant(text, place, terms.planner) for place in places]
    for place, question in zip(places, questions, strict=True):
        place.register()
        _check(place, question, terms.shown)
    parts = [
        _Part.of(place, question, text, terms) for place, question in zip(places, questions, strict=True)
    ]
    try:
        for part in parts:
            part.answer()
    except BaseException as error:
        for part in parts:
            part.end("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
        raise
    first = parts[0]
    if against is not None:
        parts[1].keep(text)
        first.join(parts[1], against)
    first.keep(text)
    status: RunEnd = "budget" if any(part.status == "budget" for part in parts) else "done"
    for part in parts:
        part.end(status)
    found = workplace.store.queries.finding(first.asking.run)
    return Asked(
        found, status, sum(part.asking.made for part in parts), sum(part.asking.found for part in parts)
    )


@dataclass
class _Part:
    """The question as it is asked of one target: its run, what is measured in it, what comes of it."""

    workplace: Workplace
    question: Question
    terms: Terms
    asking: Asking
    found: Answer = field(default_factory=lambda: Answer(""))
    status: RunEnd = "done"
    against: str = ""

    @classmethod
    def of(cls, workplace: Workplace, question: Question, text: str, terms: Terms) -> _Part:
        store, fingerprint = workplace.store, workplace.target.fingerprint
        told = {**terms.words, "question": text, "understood": question.understood}
        run = store.recorder.open_run("ask", fingerprint, told, workplace.seed, terms.planner.name)
        opened = partial(workplace.context, terms.allowance.budget())
        return cls(workplace, question, terms, Asking(store, fingerprint, opened, run, terms.words))

    def answer(self) -> None:
        """Raises UserError for what turns out to be the asker's mistake when it is measured."""
        try:
            if isinstance(self.question, Free):
                self.found, self.status = planned(self.workplace, self.asking, self._goal(), self.terms)
                return
            self.found = _answered(self.asking, self.question, self._label, self.terms.shown)
            if not isinstance(self.question, WhatDoes):
                check(self.found, self.asking.experiments)
        except BudgetReached as error:
            self.found, self.status = Answer("", f"{error.message} before it could be answered"), "budget"
        except PlannerError as error:
            if error.kind not in NOT_KNOWN:
                raise UserError(
                    error.message.removesuffix(f"; {error.hint}"), kind=error.kind, hint=error.hint
                ) from error
            self.found = Answer("", error.message)

    def _goal(self) -> Goal:
        towers = self.workplace.extent.towers.items()
        parts = "; ".join(
            f"a {name} tower of {one.layers} layers with {one.neurons} neurons and {one.heads} heads each"
            for name, one in towers
        )
        shown = self.terms.shown
        picture = (str(shown.image), shown.question) if shown else ("", "")
        return Goal(self.question.understood, parts, *picture)

    def join(self, other: _Part, place: Workplace) -> None:
        """Makes the answer one about both targets, with the receipts of both."""
        self.found = beside(
            Side(self.workplace.target.name, self.found), Side(place.target.name, other.found)
        )
        for experiment in other.asking.experiments.values():
            self.asking.cite(experiment)
        self.against = place.target.fingerprint

    def keep(self, text: str) -> None:
        self.asking.store.recorder.finding(self.asking.run, 1, self._finding(text))

    def end(self, status: RunEnd) -> None:
        self.asking.store.recorder.end_run(self.asking.run, status)

    def _label(self, component: Address) -> Labelled:
        allowed, terms = self.terms.labelling, self.terms
        asked = {**terms.words, "components": str(component), **allowed.words()}
        begun = begin(self.workplace, [component], terms.planner.name, asked)
        carry_on(self.workplace, begun, terms.planner, allowed, drive=terms.drive)
        description = self.workplace.store.queries.description(begun, str(component))
        assert description is not None  # a run that has ended has described its component
        return begun, description

    def _finding(self, text: str) -> Finding:
        answer = self.found
        return Finding(
            question=" ".join(text.split()),
            kind="beside" if self.against else self.question.kind,
            understood=self.question.understood,
            status="answered" if answer.text else "unknown",
            answer=answer.text,
            reason=answer.reason,
            verdict=answer.verdict,
            named=answer.named,
            against=self.against,
            rows=answer.rows,
            evidence=tuple(self.asking.experiments),
            described=answer.described,
            artifacts=dict(answer.artifacts),
        )


def _meant(text: str, place: Workplace, planner: Planner) -> Question:
    """A language model takes the words as they are; the built-in planner what its grammar knows."""
    if planner.name.partition(":")[0] == BUILTIN:
        return understood(text, place.extent, place.world.train.kinds)
    asked(text)
    return Free(" ".join(text.split()))


def _answered(asking: Asking, question: Question, label: Any, shown: Shown | None) -> Answer:
    match question:
        case Free():
            raise AssertionError("a question without a kind is planned")
        case WhatDoes():
            return what(asking, question, label)
        case Which():
            return which(asking, question)
        case Used():
            return used(asking, question)
        case Needed():
            return needed(asking, question)
        case Why():
            assert shown is not None  # _check refuses it
            return why(asking, question, shown)
        case Compare():
            return compare(asking, question)
        case Known():
            return known(asking, question)


def _check(workplace: Workplace, question: Question, shown: Shown | None) -> None:
    """Raises UserError for what can be told before anything is measured: words that the judge does not know, a target
    that answers no questions, a picture that is missing."""
    if isinstance(question, Known | WhatDoes | Compare | Free):
        return
    context = workplace.context(Allowance().budget())
    if isinstance(question, Which | Used) and question.concept not in context.images.kinds:
        presence(context, question.concept, [context.images.asked(0)])
    causal = isinstance(question, Used | Needed | Why) or (
        isinstance(question, Which) and question.role != "reads"
    )
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
