"""The phrases of this world among which the null of untrained copies searches: all that a planner may come to say.

The same for every size of a collection, so that a null that was measured once can be kept. Knows words alone; which
class a phrase belongs to is said in concepts.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

from experiments.tableau.concepts import WORDS
from experiments.tableau.phrases import ATTRIBUTES, Phrase
from experiments.tableau.questions import ANSWERS, KINDS


def searched_phrases() -> tuple[str, ...]:
    """Every phrase of one or two words, as a describer may say them, and what can be said of questions."""
    kinds = (f"question asks for {kind.replace('_', ' ')}" for kind in KINDS if kind != "context")
    names = (f"question names {word}" for attribute in ATTRIBUTES for word in WORDS[attribute])
    answers = dict.fromkeys(f"answer is {word}" for words in ANSWERS.values() for word in words)
    grounds = (f"{word} background" for word in WORDS["background"])
    return (*_of_things(1), *grounds, *_of_things(2), *kinds, *names, *answers)


def _of_things(length: int) -> Iterator[str]:
    for names in combinations(ATTRIBUTES, length):
        for words in product(*(WORDS[name] for name in names)):
            yield str(Phrase(**dict(zip(names, words, strict=True))))  # type: ignore[arg-type]  # words of their names
