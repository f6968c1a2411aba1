"""Decisions: everything that a planner can say at one turn, as one type.

Knows which decisions are complete; knows nothing about who makes them, or whether they are right (check.py). A
decision is a plain value: it is committed as a row before anything acts on it, and read back when a run resumes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, TypeAdapter

from store.records import AnswerRow, Claim, Facet, Hypothesis, Model, Reading, Verdict


class Call(Model):
    """One experiment to run: a tool's name and its arguments, not yet validated.

    `unreadable` is what a model sent in the place of arguments when it was no JSON object.
    """

    tool: str
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    unreadable: str = ""


class Calls(Model):
    """Experiments to run next, with what is proposed before them and what is concluded from earlier ones.

    Hypotheses get numbers in the order in which a thread proposes them, from 1. `propose` is recorded before `calls`
    run, so that a call can test what is proposed beside it. `verdicts` are about experiments of earlier steps.
    """

    kind: Literal["calls"] = "calls"
    thought: Annotated[str, Field(max_length=2000)] = ""
    propose: tuple[Hypothesis, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    calls: tuple[Call, ...] = ()


class Program(Model):
    """A short Python program that calls tools as functions, in the place of calls; it runs in a sandbox (programs/)."""

    kind: Literal["program"] = "program"
    thought: Annotated[str, Field(max_length=2000)] = ""
    propose: tuple[Hypothesis, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    source: Annotated[str, Field(max_length=50_000)]


class Conclusion(Model):
    """What the component was found to be.

    `label` is a name of a few words, `concept` the phrase that is scored blind, `text` a few sentences. Every sentence
    of `text` cites experiments of this thread as `[e12]`, and numbers stand in it by reference, as `{e12.effect}`
    (`.n`, `.low`, `.high`, `.control` after the name give the other numbers of that quantity).
    """

    kind: Literal["conclusion"] = "conclusion"
    thought: Annotated[str, Field(max_length=2000)] = ""
    reading: Reading = Reading()
    label: Annotated[str, Field(min_length=1, max_length=120)]
    concept: Annotated[str, Field(min_length=1, max_length=400)]
    text: Annotated[str, Field(min_length=1, max_length=4000)]
    facets: tuple[Facet, ...] = ()
    confidence: Annotated[float, Field(ge=0, le=1)] = 0.5
    claims: dict[str, Claim | None] = Field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()


class Reply(Model):
    """The answer to a question, in a thread that has a goal in place of a component.

    Of `text` goes what goes for a conclusion's. `verdict` is empty where the question was not whether something is so,
    or that is open; `components` are those that the answer is about, `rows` numbers that show it.
    """

    kind: Literal["reply"] = "reply"
    thought: Annotated[str, Field(max_length=2000)] = ""
    text: Annotated[str, Field(min_length=1, max_length=4000)]
    verdict: Literal["", "yes", "no"] = ""
    components: tuple[str, ...] = ()
    rows: tuple[AnswerRow, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


class Abstention(Model):
    """Nothing stable to say, and why."""

    kind: Literal["abstention"] = "abstention"
    thought: Annotated[str, Field(max_length=2000)] = ""
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


Decision = Annotated[Calls | Program | Conclusion | Reply | Abstention, Field(discriminator="kind")]
_DECISION: TypeAdapter[Decision] = TypeAdapter(Decision)


def as_row(decision: Decision) -> dict[str, Any]:
    """The decision as the store keeps it."""
    row: dict[str, Any] = decision.model_dump(mode="json")
    return row


def from_row(row: dict[str, Any]) -> Decision:
    """The decision that `as_row` wrote."""
    return _DECISION.validate_python(row)
