"""Asking in this world's words whether a thing is there, and how often a judge that was asked is right.

Knows the wording that `tableau-llava` was taught, and scenes as the truth. The sets are balanced: each phrase is put
to a picture where it holds and to one where it does not, most of those near misses, so chance is one in two.
"""

from __future__ import annotations

from typing import NamedTuple

from experiments.tableau.balanced import balanced
from experiments.tableau.phrases import parse_phrase
from experiments.tableau.questions import Question
from experiments.tableau.render import render, to_image
from experiments.tableau.searched import searched_phrases
from store.errors import UserError
from store.values import Estimate
from tools.judging import ConceptJudge
from tools.scoring.intervals import wilson

SURE = 0.5
"""Probability from which on a judge says yes."""


class JudgeError(NamedTuple):
    """How often a judge is wrong: on all phrases, on those that hold (missed), and on those that do not (imagined)."""

    all: Estimate
    missed: Estimate
    imagined: Estimate

    def __str__(self) -> str:
        return f"wrong {self.all.value:.1%} [{self.all.low:.1%}, {self.all.high:.1%}], n = {self.all.n}"


def ask(phrase: str) -> str:
    """The yes/no question about a thing. Raises UserError for a phrase that names none, such as a background."""
    named = parse_phrase(phrase)
    if named is None:
        raise UserError(
            f"`{phrase}` names no thing that can be asked for",
            kind="unknown_phrase",
            hint='name a thing: "red star", "striped thing"',
        )
    return Question("polling", named).text()


def things() -> tuple[str, ...]:
    """Every phrase of one word about a thing."""
    named = ((phrase, parse_phrase(phrase)) for phrase in searched_phrases())
    return tuple(phrase for phrase, meant in named if meant is not None and meant.said == 1)


def judge_error(judge: ConceptJudge, n: int, seed: int = 0) -> JudgeError:
    """Of `n` judgements, half of them about things that are there, in scenes that no training showed.

    The two judgements of one phrase are not quite independent, which the interval does not see. Raises ValueError
    when `n` is below 2.
    """
    if n < 2:
        raise ValueError(f"an error needs a phrase that holds and one that does not, got {n} judgements")
    wrong: dict[str, list[bool]] = {"yes": [], "no": []}
    for item in balanced("polling", n - n % 2, seed):
        assert item.scene is not None
        sure = judge.present([to_image(render(item.scene))], [str(item.question.phrase)])[0, 0]
        wrong[item.answer].append((sure > SURE) != (item.answer == "yes"))
    both = [*wrong["yes"], *wrong["no"]]
    return JudgeError(*(wilson(sum(of), len(of)) for of in (both, wrong["yes"], wrong["no"])))
