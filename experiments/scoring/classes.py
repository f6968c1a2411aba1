"""Which phrases compete: the search of the untrained null, and the class that each phrase belongs to.

A phrase is compared with what untrained units reach with phrases of its own class, since classes differ in how often
their phrases hold and in how easily random eyes see them.
"""

from __future__ import annotations

import re
from collections import Counter

from agent.builtin.candidates import EVERYDAY
from experiments.tableau.concepts import class_of as class_in_tableau
from experiments.tableau.searched import searched_phrases
from experiments.worlds import TABLEAU, World
from store.errors import UserError

SAMPLE = 400
"""Stimuli whose questions give the phrases about words."""
OFTEN = 8
"""Times that a word must come up among them."""


def class_of(phrase: str) -> str:
    """`kind`, `asked`, `answer` for phrases about words; attributes, as in `color+shape`, for those about pictures."""
    for start, name in (("question asks ", "kind"), ("question names ", "asked"), ("answer is ", "answer")):
        if phrase.startswith(start):
            return name
    try:
        return class_in_tableau(phrase)
    except UserError:
        return "picture"


def searched(world: World) -> tuple[str, ...]:
    """The phrases among which the null looks for the one that fits best.

    The embedded world has a fixed list, for which its null comes with the checkout.
    """
    if world.name == TABLEAU:
        return searched_phrases()
    shown = [world.train.asked(number) for number in range(min(SAMPLE, len(world.train)))]
    kinds = Counter(stimulus.kind.replace("_", " ") for stimulus in shown if stimulus.kind)
    answers = Counter(stimulus.answer for stimulus in shown if stimulus.answer)
    words = Counter(word for stimulus in shown for word in set(re.findall(r"\w+", stimulus.question.lower())))
    return (
        *world.describer.vocabulary(),
        *(f"question asks for {kind}" for kind in sorted(kinds) if kinds[kind] >= OFTEN),
        *(f"answer is {word}" for word in sorted(answers) if answers[word] >= OFTEN),
        *(
            f"question names {word}"
            for word in sorted(words)
            if words[word] >= OFTEN and word not in EVERYDAY
        ),
    )
