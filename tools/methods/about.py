"""Which questions a concept is an answer to, which are about other things, and how far answers lead one another.

A question is about a concept where one of the concept's words is among the answers to its kind: what a red thing makes
a target say shows on questions for colors. Knows words, questions and logits; knows nothing about components. Not a
tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from store.errors import PlannerError
from tools.judging import of_question
from tools.methods.answers import asked, logits_of, margins
from tools.scoring.concept import read
from tools.scoring.intervals import wilson
from tools.scoring.tree import occurrences
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from torch import Tensor

    from tools.context import ToolContext

TRIED = 16
"""Questions of each kind on which it is seen what can be answered, and how well."""
MANY = 256
"""Questions among which those are looked for whose right answer names a concept."""


class Led(NamedTuple):
    """Questions, on each of which the mean logit of `named` answers is held against that of the `rest`: tokens. `right`
    says whether the right answer is among the named."""

    stimuli: list[Stimulus]
    named: list[list[int]]
    rest: list[list[int]]
    right: list[bool]

    def take(self, places: Sequence[int]) -> Led:
        """The questions at these places."""
        return Led(
            [self.stimuli[place] for place in places],
            [self.named[place] for place in places],
            [self.rest[place] for place in places],
            [self.right[place] for place in places],
        )


class Subject(NamedTuple):
    """A kind of question that a concept's words answer; `tokens` are those words among its `options`."""

    kind: str
    words: tuple[str, ...]
    tokens: tuple[int, ...]
    options: tuple[int, ...]


def answer_words(concept: str) -> tuple[str, ...]:
    """Words that a concept says, each once; of phrases that must not hold, or speak of the question, none."""
    said = [one.words for one in occurrences(read(concept)) if one.positive and not of_question(one.words)]
    return tuple(dict.fromkeys(word for words in said for word in words.split()))


def subject(context: ToolContext, concept: str, kind: str = "") -> Subject:
    """The kind that most of the concept's words answer, among those that the target answers better than by chance;
    of several the one that it answers best. `kind` names one.

    Raises PlannerError where no question asks for the concept, or none that the target can answer.
    """
    tokens = {word: context.adapter.token(word) for word in answer_words(concept)}
    found: list[tuple[int, float, Subject]] = []
    unknown: list[str] = []
    for questions in asked(context, (kind,) if kind else (), TRIED):
        words = tuple(word for word, token in tokens.items() if token in questions.options)
        if not 0 < len(words) < len(questions.options):
            continue
        right = margins(logits_of(context, "plain", questions.stimuli), questions).right
        if wilson(int(right.sum()), len(right)).low <= 1 / len(questions.options):
            unknown.append(questions.kind)
            continue
        named = tuple(token for token in questions.options if token in [tokens[word] for word in words])
        one = Subject(questions.kind, words, named, tuple(questions.options))
        found.append((len(words), float(right.mean()), one))
    if found:
        return max(found, key=lambda one: one[:2])[2]
    reason = f"no question asks for it{f' among those of the kind `{kind}`' if kind else ''}"
    if unknown:
        reason = (
            f"the target answers {', '.join(unknown)} questions, which ask for it, no better than by chance"
        )
    raise PlannerError(
        f"`{concept}` can't be tested at the answer: {reason}",
        kind="no_question",
        hint="leave the claim undetermined; `ablate` and `patch` test what is needed",
    )


def about(context: ToolContext, chosen: Subject, n: int, *, right: bool = False) -> Led:
    """`n` questions of the kind; the answers that name the concept are held against the others. `right` keeps those
    alone whose right answer names it, as many of them as MANY questions have."""
    share = len(chosen.tokens) / len(chosen.options)
    (questions,) = asked(context, (chosen.kind,), min(MANY, ceil(1.2 * n / share)) if right else n)
    have = len(questions.stimuli)
    order = context.random("about", chosen.kind, have).permutation(have).tolist()
    held = {place: questions.right[place] in chosen.tokens for place in order}
    kept = [place for place in order if held[place] or not right][:n]
    rest = [token for token in questions.options if token not in chosen.tokens]
    return Led(
        [questions.stimuli[place] for place in kept],
        [list(chosen.tokens)] * len(kept),
        [rest] * len(kept),
        [held[place] for place in kept],
    )


def other(context: ToolContext, chosen: Subject, n: int) -> Led:
    """About `n` questions of the kinds that no word of the concept answers: the right answer is held against the
    others of its kind. Few or none where there are no such kinds."""
    kinds = [one for one in asked(context, (), TRIED) if not set(chosen.tokens) & set(one.options)]
    found = Led([], [], [], [])
    for questions in kinds:
        for place in range(min(ceil(n / len(kinds)), len(questions.stimuli))):
            own = questions.right[place]
            found.stimuli.append(questions.stimuli[place])
            found.named.append([own])
            found.rest.append([token for token in questions.options if token != own])
            found.right.append(True)
    return found


def lead(logits: Float[Tensor, "row vocabulary"], questions: Led) -> Float[np.ndarray, "row"]:
    """Mean logit of the named answers less that of the rest."""
    table = logits.double().numpy()
    return np.array(
        [
            row[named].mean() - row[rest].mean()
            for row, named, rest in zip(table, questions.named, questions.rest, strict=True)
        ]
    )


def says(logits: Float[Tensor, "row vocabulary"], questions: Led) -> Float[np.ndarray, "row"]:
    """1 where a named answer leads all words, else 0."""
    first = logits.argmax(dim=-1).tolist()
    return np.array([float(token in named) for token, named in zip(first, questions.named, strict=True)])
