"""What the record speaks of: quantities, experiments, hypotheses, verdicts, claims, scores, descriptions.

Values that travel between the rooms and into rows, as typed models. Knows which of them are complete (a hypothesis
that could not lose is refused here); knows nothing about how they are measured or kept.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Sign = Literal["+", "-"]
Scope = Literal["visual", "question", "answer"]
Outcome = Literal["supports", "contradicts", "inconclusive"]
Answer = Literal["yes", "no", "undetermined"]
Status = Literal["verified", "unverified", "abstained", "failed"]
Split = Literal["train", "select", "test"]
Interval = tuple[float, float]
"""95 %: low, high."""


class Model(BaseModel):
    """Refuses fields that it does not know, and NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Reading(Model):
    """Which side of a component is meant: the high (`+`) or low (`-`) end of its values, over which tokens.

    `visual` pools over the picture's tokens (maximum for `+`, minimum for `-`), `question` over those of the question;
    `answer` is the position where the answer is predicted.
    """

    sign: Sign = "+"
    scope: Scope = "visual"

    def __str__(self) -> str:
        return f"{self.sign} at {self.scope} tokens"


class Quantity(Model):
    """A number with what makes it count: unit, interval, sample size, and the same number for the control."""

    value: float
    unit: str = ""
    ci: Interval | None = None
    n: Annotated[int, Field(ge=0)] | None = None
    control: float | None = None
    control_ci: Interval | None = None


class Cost(Model):
    """What a call took: rows that went through the model, seconds, and what language models took on its behalf.

    `money` is None where nobody knows the price.
    """

    forwards: int = 0
    seconds: float = 0.0
    tokens: int = 0
    requests: int = 0
    money: float | None = 0.0


class Hypothesis(Model):
    """A claim that can lose: what is predicted, in which direction, past which threshold, against which control."""

    statement: Annotated[str, Field(min_length=1, description="One sentence.")]
    concept: Annotated[str, Field(description="The phrase it is about, such as `red star`.")] = ""
    quantity: Annotated[str, Field(min_length=1, description="Name of the predicted quantity.")]
    direction: Literal["above", "below", "within"]
    threshold: float
    control: Annotated[str, Field(min_length=1, description="What the effect is compared with.")]
    refuter: Annotated[str, Field(min_length=1, description="The result that would refute it.")]


class Verdict(Model):
    """What experiments say of a hypothesis (`h` is its number in the component's thread, from 1)."""

    hypothesis: int
    outcome: Outcome
    experiments: Annotated[tuple[int, ...], Field(min_length=1)]
    effect: float
    ci: Interval
    because: str = ""


class Facet(Model):
    """One of the things that a component stands for, with its share and the experiments that show it."""

    phrase: str
    weight: float = 1.0
    evidence: tuple[int, ...] = ()


class Claim(Model):
    """A statement about a component that has been tested: `verdict`, with the effect and the control's.

    `about` says of a head what exactly is claimed: of `reads` a class of tokens, of `writes` a kind of question (or
    `against KIND`, where it disfavors the right answers), of `when_cut` a kind of question.
    """

    verdict: Answer
    about: str = ""
    effect: float | None = None
    ci: Interval | None = None
    control: float | None = None
    evidence: tuple[int, ...] = ()
    because: str = ""


CLAIMS = ("selective", "learned", "necessary", "sufficient", "unused", "reads", "writes", "when_cut")
"""Names of claims; the last three are made of heads."""
HEAD_CLAIMS = CLAIMS[-3:]
AGAINST = "against "
"""How `about` of a claim `writes` begins where the head disfavors the right answers."""


class Score(Model):
    """A blind score with its interval, on how many stimuli of which split; `null` is what untrained copies reach.

    `p` is of "it is 0", and `q` is p corrected for all components that were tested together. `protocol` is the version
    of the protocol's rest, of scores that belong to it; their `null` is what chance or a control reaches.
    """

    value: float
    ci: Interval
    n: int
    split: Split
    null: float | None = None
    judge: str = ""
    p: float | None = None
    q: float | None = None
    protocol: str = ""


class Description(Model):
    """What a component was found to be. `text` cites experiments as `[e12]`."""

    component: str
    status: Status
    reading: Reading = Reading()
    label: str = ""
    concept: str = ""
    text: str = ""
    facets: tuple[Facet, ...] = ()
    confidence: float = 0.0
    claims: dict[str, Claim | None] = Field(default_factory=dict)
    scores: dict[str, Score] = Field(default_factory=dict)
    evidence: tuple[int, ...] = ()
    reason: str = ""
    seconds: float = 0.0
    cost: dict[str, float | None] = Field(default_factory=dict)
    """`forwards`, `tokens`, `money`; money is None where nobody knows the price."""


class AnswerRow(Model):
    """One line of an answer: a number of a component (or of tokens, or of a kind of question), with what makes it
    count. `measure` says what was measured, `told` what follows in words, `target` whose it is where two are compared.
    """

    component: str
    value: float
    unit: str = ""
    ci: Interval | None = None
    n: int | None = None
    control: float | None = None
    control_ci: Interval | None = None
    evidence: tuple[int, ...] = ()
    measure: str = ""
    told: str = ""
    target: str = ""


class Described(Model):
    """Where a component's description stands; what the sealed test said of it is read there, and never copied."""

    run: str
    component: str


class Finding(Model):
    """The answer to a question. `answer` cites experiments as `[e12]`; where it is not known, `reason` says why.

    `verdict` is the answer in one word where the question was whether something is so; empty where that is open, or the
    question was another. `named` are the components for which it holds. `rows` is the table, first what matters most.
    `described` names descriptions that the answer leans on, `against` the fingerprint of another target that it is
    about as well.
    """

    question: str
    kind: str
    understood: str
    status: Literal["answered", "unknown"]
    answer: str = ""
    reason: str = ""
    verdict: Literal["", "yes", "no"] = ""
    named: tuple[str, ...] = ()
    against: str = ""
    rows: tuple[AnswerRow, ...] = ()
    evidence: tuple[int, ...] = ()
    described: tuple[Described, ...] = ()
    artifacts: dict[str, str] = Field(default_factory=dict)


class Experiment(Model):
    """One recorded tool call, as it is read back. `number` is what texts cite as `[e12]`."""

    number: int
    run: str
    thread: str
    step: int
    call: int
    tool: str
    arguments: dict[str, JsonValue]
    seed: int
    fingerprint: str
    code: str
    result: dict[str, Any]
    error: str = ""
    started: str = ""
