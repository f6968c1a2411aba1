"""Symmetric token replacement: a question with one word replaced by another of as many tokens (Zhang and Nanda 2024).

Knows which words may stand for one another, and scenes, from which the other right answer follows. Knows nothing about
targets: how many tokens a text has is told by whoever asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from experiments.tableau.parse import parse
from experiments.tableau.phrases import ATTRIBUTES, VALUES
from experiments.tableau.questions import ANSWERS, DIRECTIONS, Unanswerable, answer
from experiments.tableau.recall import recall
from tools.stimuli import Stimulus

OPPOSED = (("left", "right"), ("above", "below"), tuple(DIRECTIONS.values()))
"""Words that may stand for one another beside those of an attribute."""


def token_replacement(
    stimulus: Stimulus, tokens: Callable[[str], int], rng: np.random.Generator
) -> Stimulus | None:
    """The same picture with a question that differs in one word and in its right answer; None where none is known.

    `tokens` counts a text's tokens: both questions have as many. Answers that name nothing ("none") do not count.
    """
    seen = recall(stimulus.key).scene
    texts = [text for text in _replaced(stimulus.question) if tokens(text) == tokens(stimulus.question)]
    for place in rng.permutation(len(texts)):
        question = parse(texts[place])
        if question is None or question.kind != stimulus.kind:
            continue
        try:
            word = answer(question, seen)
        except Unanswerable:
            continue
        if word != stimulus.answer and word in ANSWERS[question.kind]:
            key = f"{stimulus.key}?{texts[place]}"
            return replace(stimulus, key=key, question=texts[place], answer=word)
    return None


def _replaced(text: str) -> Iterator[str]:
    words = text.split()
    for place, word in enumerate(words):
        for family in (*(VALUES[name] for name in ATTRIBUTES), *OPPOSED):
            if word in family:
                for other in family:
                    if other != word:
                        yield " ".join([*words[:place], other, *words[place + 1 :]])
