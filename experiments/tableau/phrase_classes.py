"""Classes of phrases: those that compete with one another for a unit, and are about as frequent as one another.

The null of untrained copies is one number for each class. Knows which attributes a phrase speaks of.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

from experiments.tableau.concepts import WORDS, read_concept
from experiments.tableau.phrases import ATTRIBUTES, Phrase
from experiments.tableau.questions import ANSWERS, KINDS

_OF_WORDS = {"question asks": "kind", "question names": "asked", "answer is": "answer"}
"""How phrases begin that speak of a stimulus's words (tools/judging.py)."""


def phrase_class(phrase: str) -> str:
    """Such as `color`, `fill shape` or `background`; `thing` where nothing is said of it.

    Raises UserError of kind "unknown_phrase" for what is not in the language.
    """
    plain = phrase.strip().lower().removeprefix("the ")
    for beginning, name in _OF_WORDS.items():
        if plain.startswith(f"{beginning} "):
            return name
    concept = read_concept(phrase)
    if concept.background is not None:
        return "background"
    said = [name for name in ATTRIBUTES if getattr(concept, name) != frozenset(WORDS[name])]
    return " ".join(said) or "thing"


def searched_phrases() -> tuple[str, ...]:
    """Every phrase of one or two words, as a describer may say them, and what can be said of questions."""
    kinds = (f"question asks {kind}" for kind in KINDS if kind != "context")
    names = (f"question names {word}" for attribute in ATTRIBUTES for word in WORDS[attribute])
    answers = dict.fromkeys(f"answer is {word}" for words in ANSWERS.values() for word in words)
    grounds = (f"{word} background" for word in WORDS["background"])
    return (*_of_things(1), *grounds, *_of_things(2), *kinds, *names, *answers)


def _of_things(length: int) -> Iterator[str]:
    for names in combinations(ATTRIBUTES, length):
        for words in product(*(WORDS[name] for name in names)):
            yield str(Phrase(**dict(zip(names, words, strict=True))))  # type: ignore[arg-type]  # words of their names
