"""What a planner is: something that reads one thread's record and says what to do next.

Knows the interface that the built-in planner, language models and recorded runs share; knows nothing about any of them.

What every planner can rely on, and must keep to:

- It keeps nothing between turns. The same view gives the same decision, so that a killed run can go on.
- A hypothesis is proposed before the experiment that tests it: a verdict cites at least one experiment of the step
  that proposed the hypothesis, or of a later one.
- A verdict's effect is a number of a cited experiment (a quantity's value, its control, or the difference of the two),
  and `supports` needs an interval that lies wholly past the threshold. verdicts.judge makes such verdicts.
- A call that can't be carried out comes back as a note in the next view; three such turns in a row end the thread.
- A conclusion is refused, with a note that says why, when check.py finds a sentence without a citation, a number
  without a source, or no supporting verdict from an experiment that had a control; or when its concept is not in the
  grammar and words that can be judged in pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.decision import Decision
from agent.thread import ThreadView
from store.records import Model
from store.views import Payment
from tools.tool import Tool


class Usage(Model):
    """What one decision cost at an endpoint, answers that broke off included. `cached_tokens` are those of the prompt
    that it had read before.

    `money` is None where nobody knows the price; `estimated` tokens were counted here, as the endpoint told none.
    """

    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    requests: int = 0
    money: float | None = 0.0
    currency: str = ""
    estimated: bool = False

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def paid(self) -> Payment:
        return Payment(
            tokens=self.tokens,
            money=self.money,
            requests=self.requests,
            currency=self.currency,
            estimated=self.estimated,
        )

    def with_(self, more: Usage) -> Usage:
        """Both together, at the model that was asked last."""
        return Usage(
            model=more.model,
            prompt_tokens=self.prompt_tokens + more.prompt_tokens,
            completion_tokens=self.completion_tokens + more.completion_tokens,
            cached_tokens=self.cached_tokens + more.cached_tokens,
            requests=self.requests + more.requests,
            money=None if self.money is None or more.money is None else self.money + more.money,
            currency=more.currency or self.currency,
            estimated=self.estimated or more.estimated,
        )


@dataclass(frozen=True)
class Choice:
    """A decision with what led to it: `prompt` is the whole text that a model was sent, empty where there is none."""

    decision: Decision
    prompt: str = ""
    usage: Usage | None = None


class Planner(Protocol):
    """`name` is what `--planner` takes and what the run's row keeps: `builtin`, `openai:MODEL`, `recorded`."""

    @property
    def name(self) -> str: ...

    async def decide(self, thread: ThreadView, tools: Sequence[Tool], /) -> Choice:
        """The next decision. Raises MaieuticError of kind "endpoint" when it can't be had now but can be later."""
        ...
