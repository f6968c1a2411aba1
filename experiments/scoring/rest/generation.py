"""Generation: pictures made from the words alone, by the scorer's editor; do they light the component?

A prompt is made of the phrases that make a concept true; alternatives and parts of a sum take turns. A picture counts
where the scorer's judge finds the concept in it. The control is made of single phrases of the world in which the judge
does not. Protocol point 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice, product

from experiments.scoring.rest.sealed import FEWEST, Sealed, Unmeasured
from store.errors import UserError
from store.records import Description, Score
from tools.scoring.concept import read
from tools.scoring.intervals import wilson
from tools.scoring.retrieval import HOLDS
from tools.scoring.tree import All, Any, Concept, Not, Phrase, Sum
from tools.stimuli import Stimulus

NAMES = ("generation",)
PICTURES = 24
"""Pictures from the words, and as many from other words."""
TRIED = 4
"""Draws for each picture that is wanted, before there are too few."""


def generation(sealed: Sealed, frozen: Description) -> dict[str, Score]:
    """Share of pictures made from the words that exceed the threshold of test pictures, beside that of others.

    Raises Unmeasured where the words make no picture, or the component is not read at the picture.
    """
    if frozen.reading.scope != "visual":
        raise Unmeasured("pictures that are made from words come without a question")
    threshold = sealed.threshold(frozen)
    own = _painted(sealed, frozen, ways(read(frozen.concept)), lambda presence: presence >= HOLDS)
    if len(own) < FEWEST:
        raise Unmeasured("no picture can be made from the words")
    rest = sealed.chance(frozen, "other words").permutation(len(sealed.vocabulary))
    others = [(sealed.vocabulary[place],) for place in rest]
    control = _painted(sealed, frozen, others, lambda presence: presence < HOLDS)
    if len(control) < FEWEST:
        raise Unmeasured("no picture can be made from other words")
    lit, also = (int((sealed.values(frozen, shown) >= threshold).sum()) for shown in (own, control))
    return {"generation": sealed.score(wilson(lit, len(own)), null=also / len(control))}


def ways(concept: Concept) -> list[tuple[str, ...]]:
    """The sets of phrases each of which makes a concept true, as far as things that are there can: what must not be
    there is left to chance. [] where nothing must be there."""
    return [tuple(dict.fromkeys(way)) for way in _ways(concept) if way]


def _ways(concept: Concept) -> list[tuple[str, ...]]:
    match concept:
        case Phrase(words):
            return [(words,)]
        case Not():
            return [()]
        case Any(parts):
            return [way for part in parts for way in _ways(part)]
        case Sum(weighted):
            return [way for part in weighted for way in _ways(part.of)]
        case All(parts):
            return [sum(chosen, ()) for chosen in product(*map(_ways, parts))]


def prompt(way: Sequence[str]) -> str:
    """The phrases as a wish for a picture."""
    return " and ".join(f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}" for phrase in way)


def _painted(
    sealed: Sealed, frozen: Description, wishes: Sequence[tuple[str, ...]], fits: Callable[[float], bool]
) -> list[Stimulus]:
    """Up to PICTURES of which what the judge finds of the concept fits, the wishes in turn."""
    found = _fitting(sealed, frozen, wishes, fits)
    return list(islice(found, PICTURES))


def _fitting(
    sealed: Sealed, frozen: Description, wishes: Sequence[tuple[str, ...]], fits: Callable[[float], bool]
) -> Iterator[Stimulus]:
    for number, way in zip(range(TRIED * PICTURES), cycle(wishes), strict=False):
        try:
            seed = sealed.seed(frozen, "painted", prompt(way), number) % 2**16
            made = sealed.editor.generate(prompt(way), seed)
        except UserError:
            continue
        if fits(sealed.fulfilled(made, frozen.concept)):
            yield made
