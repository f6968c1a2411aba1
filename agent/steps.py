"""The loop's own steps, as a language model calls them: hypotheses, verdicts, conclusions, answers, abstentions.

Knows their arguments and how these become parts of a Decision: numbers are read from the experiment that is named, so
a model never types one. Knows nothing about endpoints. A step that can't be built is a PlannerError that says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

import prompts
from agent.check import by_number, check_verdict
from agent.decision import Abstention, Call, Conclusion, Program, Reply
from agent.programs.limits import BOUNDS
from agent.programs.telling import PROGRAM
from agent.replies import row_of
from agent.thread import ThreadView, quantities
from agent.verdicts import judge
from store.errors import PlannerError
from store.records import (
    Answer,
    AnswerRow,
    Claim,
    Experiment,
    Facet,
    Hypothesis,
    Model,
    Quantity,
    Reading,
    Scope,
    Sign,
    Verdict,
)
from tools.tool import schema_of


def _plain_number(text: object) -> object:
    """`e12`, `[e12]` and `h3` as models write them, besides 12 and 3."""
    return text.strip("[] ").lstrip("ehEH") if isinstance(text, str) else text


Numbered = Annotated[int, BeforeValidator(_plain_number)]
Claimed = Literal["selective", "necessary", "sufficient", "unused", "reads", "writes", "when_cut"]
"""What a planner may claim; `learned` is the scorer's to say."""


class GiveVerdict(Model):
    hypothesis: Annotated[Numbered, Field(description="Its number: 1 for h1.")]
    experiment: Annotated[
        Numbered, Field(description="Number of the experiment that decides it: 12 for e12.")
    ]
    quantity: Annotated[
        str, Field(description="Which quantity; empty for the one that the hypothesis names.")
    ] = ""
    because: Annotated[str, Field(description="One sentence.")] = ""


class ClaimMade(Model):
    name: Claimed
    verdict: Answer
    experiment: Annotated[Numbered, Field(description="The experiment that shows it.")]
    quantity: Annotated[str, Field(description="The quantity that shows it.")]
    about: Annotated[str, Field(description="Of `reads`, `writes` and `when_cut`: what is claimed.")] = ""
    because: str = ""


class FacetNamed(Model):
    phrase: str
    weight: Annotated[float, Field(ge=0, le=1, description="Its share of what the component stands for.")] = (
        1.0
    )
    evidence: Annotated[tuple[Numbered, ...], Field(min_length=1, description="Experiment numbers.")]


class Conclude(Model):
    label: Annotated[str, Field(description="A name of a few words, without numbers.")]
    concept: Annotated[
        str,
        Field(
            description="What will be judged blind: a phrase (`red star`), or phrases joined as in `star | moon`, "
            "`star & !dark background`, `(star | ring) & small`, `0.7 star + 0.3 moon`."
        ),
    ]
    text: Annotated[str, Field(description="A few sentences; each cites experiments as [e12].")]
    sign: Annotated[Sign, Field(description="Which end of the values is described.")] = "+"
    scope: Annotated[Scope, Field(description="Over which tokens the values are read.")] = "visual"
    facets: tuple[FacetNamed, ...] = ()
    claims: tuple[ClaimMade, ...] = ()
    confidence: Annotated[float, Field(ge=0, le=1, description="Your probability that a blind test agrees.")]


class NumberNamed(Model):
    component: Annotated[str, Field(description="Whose number it is.")]
    experiment: Annotated[Numbered, Field(description="The experiment that gave it: 12 for e12.")]
    quantity: str


class GiveAnswer(Model):
    text: Annotated[str, Field(description="A few sentences; each cites experiments as [e12].")]
    verdict: Literal["yes", "no", "open"] = "open"
    components: Annotated[tuple[str, ...], Field(max_length=24, description="What the answer is about.")] = ()
    table: Annotated[tuple[NumberNamed, ...], Field(max_length=24)] = ()


class Abstain(Model):
    reason: Annotated[str, Field(min_length=1)]


class RunProgram(Model):
    source: Annotated[str, Field(min_length=1, description="The program's text.")]


Built = Hypothesis | Verdict | Conclusion | Reply | Abstention | Program


@dataclass(frozen=True)
class LoopStep:
    """A step by name, its arguments, and what makes of them a part of a decision; `told` is what its prompt takes."""

    name: str
    arguments: type[Model]
    build: Callable[[ThreadView, Any], Built]
    told: Mapping[str, object] = field(default_factory=dict)

    def schema(self) -> dict[str, Any]:
        """In the form that OpenAI-compatible endpoints read."""
        about = prompts.load(f"step_{self.name}").render(**self.told)
        return {
            "type": "function",
            "function": {"name": self.name, "description": about, "parameters": schema_of(self.arguments)},
        }


def build(view: ThreadView, call: Call) -> Built:
    """What a call to one of the loop's steps means. Raises PlannerError where it means nothing."""
    step = STEPS[call.tool]
    try:
        return step.build(view, step.arguments.model_validate(call.arguments))
    except ValidationError as error:
        broken = "; ".join(
            f"`{'.'.join(map(str, problem['loc'])) or 'arguments'}`: {problem['msg'][:1].lower()}{problem['msg'][1:]}"
            for problem in error.errors()
        )
        takes = ", ".join(step.arguments.model_fields)
        raise PlannerError(
            f"`{call.tool}` was not done: {broken}; it takes {takes}",
            kind="arguments",
            hint=f"it takes {takes}",
        ) from None


def _verdict(view: ThreadView, asked: GiveVerdict) -> Verdict:
    stated = next((stated for stated in view.stated if stated.number == asked.hypothesis), None)
    if stated is None:
        known = ", ".join(f"h{stated.number}" for stated in view.stated) or "none yet"
        raise PlannerError(
            f"there is no hypothesis `h{asked.hypothesis}`; proposed so far: {known}", kind="verdict"
        )
    verdict = judge(stated, _experiment(view, asked.experiment), asked.quantity, asked.because)
    check_verdict(view, verdict)
    return verdict


def _conclusion(view: ThreadView, asked: Conclude) -> Conclusion:
    return Conclusion(
        label=asked.label,
        concept=asked.concept,
        text=asked.text,
        reading=Reading(sign=asked.sign, scope=asked.scope),
        facets=tuple(Facet(**facet.model_dump()) for facet in asked.facets),
        confidence=asked.confidence,
        claims={claim.name: _claim(view, claim) for claim in asked.claims},
    )


def _reply(view: ThreadView, asked: GiveAnswer) -> Reply:
    return Reply(
        text=asked.text,
        verdict="" if asked.verdict == "open" else asked.verdict,
        components=asked.components,
        rows=tuple(_row(view, one) for one in asked.table),
    )


def _row(view: ThreadView, asked: NumberNamed) -> AnswerRow:
    experiment = _experiment(view, asked.experiment)
    _quantity(experiment, asked.quantity, "the table")
    return row_of(asked.component, asked.quantity, experiment)


def _claim(view: ThreadView, asked: ClaimMade) -> Claim:
    experiment = _experiment(view, asked.experiment)
    found = _quantity(experiment, asked.quantity, f"the claim `{asked.name}`")
    return Claim(
        verdict=asked.verdict,
        about=asked.about.strip(),
        effect=found.value,
        ci=found.ci,
        control=found.control,
        evidence=(experiment.number,),
        because=asked.because,
    )


def _quantity(experiment: Experiment, name: str, where: str) -> Quantity:
    found = quantities(experiment).get(name)
    if found is None:
        offers = ", ".join(f"`{name}`" for name in quantities(experiment)) or "none"
        raise PlannerError(
            f"{where}: e{experiment.number} has no quantity `{name}`; it has {offers}", kind="claim"
        )
    return found


def _experiment(view: ThreadView, number: int) -> Experiment:
    have = by_number(view)
    if number not in have:
        known = ", ".join(f"e{known}" for known in have) or "none yet"
        raise PlannerError(
            f"`e{number}` is not an experiment of this thread, which has {known}", kind="citation"
        )
    return have[number]


_BOUNDS = {name: getattr(BOUNDS, name) for name in ("seconds", "calls", "printed")}
STEPS: dict[str, LoopStep] = {
    step.name: step
    for step in (
        LoopStep("propose_hypothesis", Hypothesis, lambda view, asked: asked),
        LoopStep("give_verdict", GiveVerdict, _verdict),
        LoopStep("conclude", Conclude, _conclusion),
        LoopStep("answer", GiveAnswer, _reply),
        LoopStep("abstain", Abstain, lambda view, asked: Abstention(reason=asked.reason)),
        LoopStep(PROGRAM, RunProgram, lambda view, asked: Program(source=asked.source), _BOUNDS),
    )
}
FINISHING = ("conclude", "answer", "abstain")
"""Steps that end a thread."""
ALONE = (*FINISHING, PROGRAM)
"""Steps that are a decision of their own."""
