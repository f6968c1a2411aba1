"""Pairs for combinations of phrases (`star | moon`, `red thing & !dark background`): one part at a time is changed.

Knows how the truth of a combination follows from its parts in a scene, and how a combination is written in a key, where
`|` has another meaning: "star or moon", "red thing and not dark background". What one part's change looks like is said
by pairing.py.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np

from experiments.tableau.concepts import Concept, holds, read_concept
from experiments.tableau.pairing import Altered, altered
from experiments.tableau.scene import Scene
from store.errors import UserError
from tools.scoring import concept as combination
from tools.stimuli import Change

SPOKEN = {"|": "or", "&": "and", "!": "not"}
_WRITTEN = {word: sign for sign, word in SPOKEN.items()}


def spoken(concept: str) -> str:
    """The combination in words and parentheses, one space between.

    Raises UserError of kind "concept" for a weighted sum: no change of a picture makes it true or false.
    """
    if "+" in concept:
        raise UserError(
            f"`{concept}` is a sum, which no change of a picture turns on or off",
            kind="concept",
            hint="ask for one of its parts",
        )
    return " ".join(SPOKEN.get(token, token) for token in re.findall(r"\w+|[,|&!()]", concept.lower()))


@lru_cache(maxsize=1024)
def heard(words: str) -> combination.Concept:
    """What `spoken` wrote.

    Raises UserError of kind "concept" for a combination that breaks off, "unknown_phrase" for a part that is unknown.
    """
    found = combination.read(" ".join(_WRITTEN.get(word, word) for word in words.split()))
    for phrase in combination.phrases(found):
        read_concept(phrase)
    return found


def true_of(concept: combination.Concept, seen: Scene) -> bool:
    """Whether the combination holds in the scene."""
    match concept:
        case combination.Phrase(words):
            return holds(read_concept(words), seen)
        case combination.Not(part):
            return not true_of(part, seen)
        case combination.All(parts):
            return all(true_of(part, seen) for part in parts)
        case combination.Any(parts):
            return any(true_of(part, seen) for part in parts)
        case combination.Sum():
            raise ValueError(f"a weighted sum is neither true nor false: {concept}")


def parts(concept: combination.Concept) -> list[Concept]:
    """What each phrase of the combination means."""
    return [read_concept(phrase) for phrase in combination.phrases(concept)]


def altered_combination(
    seen: Scene, concept: combination.Concept, change: Change, rng: np.random.Generator
) -> Altered | None:
    """The scene in which the combination stops (`remove`, `swap`) or starts (`add`) to hold; None where it can't be.

    One part is changed, whichever does it, in random order; where none does it alone, several are, but for a swap.
    """
    if isinstance(concept, combination.Phrase):
        return altered(seen, read_concept(concept.words), change, rng)
    wanted = change == "add"
    if true_of(concept, seen) == wanted:
        return None
    meant = parts(concept)
    order = [meant[index] for index in rng.permutation(len(meant))]
    for part in order:
        made = _turned(seen, part, change, rng)
        if made is not None and true_of(concept, made.scene) == wanted:
            return made
    return None if change == "swap" else _one_by_one(seen, concept, order, change, rng)


def _one_by_one(
    seen: Scene, concept: combination.Concept, order: list[Concept], change: Change, rng: np.random.Generator
) -> Altered | None:
    """Parts are changed one after the other until the combination follows."""
    now = Altered(seen, "")
    for part in order:
        made = _turned(now.scene, part, change, rng)
        if made is None:
            continue
        told = " and ".join(filter(None, [now.told, made.told]))
        now = Altered(made.scene, told, (*now.touched, *made.touched))
        if true_of(concept, now.scene) == (change == "add"):
            return now
    return None


def _turned(seen: Scene, part: Concept, change: Change, rng: np.random.Generator) -> Altered | None:
    """The scene in which a part holds that did not, or the other way round."""
    here = holds(part, seen)
    if change == "swap" and here:
        return altered(seen, part, "swap", rng)
    if change == "swap" and part.background is None:
        return None  # a thing that is missing comes by no change of a word
    return altered(seen, part, "remove" if here else "add", rng)
