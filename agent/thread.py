"""What a planner sees of one component's thread: decisions, results, hypotheses, refusals, and what is left to spend.

Knows the record of one thread as values. Knows no tensors or pictures, no other component, and nothing of the `test`
split. A planner that decides from this alone continues a killed run by being asked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.decision import Decision
from store.address import Address
from store.recorder import QUESTION
from store.records import Experiment, Hypothesis, Quantity, Verdict

LONGEST = 2000
"""Characters of a refusal that a planner is told: what it sent may come back in it, and be of any size."""


def cut(text: str) -> str:
    """The text at a length that can be told again each turn."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text) - LONGEST:,} more characters)"


@dataclass(frozen=True)
class Decided:
    """What was decided at a step (from 0), as it stands in the store."""

    step: int
    decision: Decision


@dataclass(frozen=True)
class Stated:
    """A hypothesis under its number (from 1), the step that proposed it, and what has been found for or against it."""

    number: int
    step: int
    hypothesis: Hypothesis
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True)
class Note:
    """Why something that was decided at `step` was not done, and what to do instead; or how a program ended.

    `repair`: a call, verdict or program that could not be carried out; `call` is its place among the step's calls, or
    None. `revision`: a conclusion that was refused, or one that predicts too little. `again` is the experiment that a
    call repeats: its result is given once more. `program`: a program that was run; `printed` is what it printed.
    """

    step: int
    kind: Literal["repair", "revision", "program"]
    text: str
    call: int | None = None
    again: int | None = None
    printed: str = ""


@dataclass(frozen=True)
class Left:
    """What may still be spent; None where there is no limit. `low`: less than a fifth of something is left.

    `tokens` and `money` are what language models may still cost this component.
    """

    steps: int
    calls: int | None = None
    forwards: int | None = None
    seconds: float | None = None
    low: bool = False
    tokens: int | None = None
    money: float | None = None


@dataclass(frozen=True)
class Goal:
    """A question, which a thread may have in the place of a component; `parts` says what the target consists of;
    `image` and `asked` where it is about a picture and what was asked about it."""

    question: str
    parts: str = ""
    image: str = ""
    asked: str = ""

    def __str__(self) -> str:
        return QUESTION


@dataclass(frozen=True)
class ThreadView:
    """The thread of one component, or of a goal, at the moment of its next decision, number `step` (from 0).

    `finish_now` is the reason why only a conclusion or an abstention will be accepted, or empty.
    """

    subject: Address | Goal
    target: str
    family: str
    seed: int
    step: int
    left: Left
    finish_now: str = ""
    decided: tuple[Decided, ...] = ()
    experiments: tuple[Experiment, ...] = ()
    stated: tuple[Stated, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def component(self) -> Address:
        """What is described. Raises TypeError in a thread that has a goal."""
        if isinstance(self.subject, Goal):
            raise TypeError("a thread with a goal has no component")
        return self.subject

    @property
    def goal(self) -> Goal | None:
        """The question that is to be answered, if the thread has one."""
        return self.subject if isinstance(self.subject, Goal) else None

    def experiment(self, number: int) -> Experiment:
        """Raises LookupError for a number that this thread does not have."""
        for experiment in self.experiments:
            if experiment.number == number:
                return experiment
        known = ", ".join(f"e{experiment.number}" for experiment in self.experiments) or "none yet"
        raise LookupError(f"there is no experiment `e{number}` in this thread; it has {known}")

    def of(self, tool: str) -> tuple[Experiment, ...]:
        """This thread's experiments with one tool, oldest first."""
        return tuple(experiment for experiment in self.experiments if experiment.tool == tool)

    def at(self, step: int, call: int) -> Experiment | None:
        """The experiment of one call; None when it was refused."""
        for experiment in self.experiments:
            if (experiment.step, experiment.call) == (step, call):
                return experiment
        return None

    @property
    def select_scores(self) -> tuple[Experiment, ...]:
        """Scores asked for so far on the select split (three at most, rounded to 0.1)."""
        return self.of("score_description")


def quantities(experiment: Experiment) -> dict[str, Quantity]:
    """The named numbers of an experiment's result."""
    found = experiment.result.get("quantities", {})
    return {name: Quantity.model_validate(value) for name, value in found.items()}
