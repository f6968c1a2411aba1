"""Concepts: what a phrase allows, read from everyday words that are near the language of the pictures.

Knows articles, plurals, synonyms, hypernyms, places and exceptions, and checks a concept against a scene graph. A
concept speaks of one thing or of the background; combinations of concepts, and pixels (judge.py), are not its business.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple

from experiments.tableau.lexicon import HYPERNYMS, SYNONYMS
from experiments.tableau.phrases import VALUES
from experiments.tableau.scene import BACKGROUNDS, COLORS, FILLS, SHAPES, SIZES, Scene, Thing
from store.errors import UserError
from tools.scoring.narrowing import PLACES, narrowed, place_in

WORDS: dict[str, tuple[str, ...]] = VALUES | {"background": BACKGROUNDS}
"""Attribute → the words of the language for it."""
ARTICLES = ("a", "an", "the")
ANYTHING = ("thing", "color", "shape")
"""Nouns that leave the shape open: "warm thing", "warm color" and "warm" mean the same."""


@dataclass(frozen=True, slots=True)
class Concept:
    """The words that each attribute may have, and the quarters of the picture in which the thing may lie; all of them
    where the phrase says nothing.

    With `background` it is the background that the concept speaks of, and the other attributes say nothing.
    """

    size: frozenset[str] = frozenset(SIZES)
    fill: frozenset[str] = frozenset(FILLS)
    color: frozenset[str] = frozenset(COLORS)
    shape: frozenset[str] = frozenset(SHAPES)
    place: frozenset[str] = frozenset(PLACES)
    background: frozenset[str] | None = None

    def matches(self, thing: Thing) -> bool:
        """Whether the concept speaks of things and fits this one."""
        return (
            self.background is None
            and thing.quarter in self.place
            and thing.size in self.size
            and thing.fill in self.fill
            and thing.color in self.color
            and thing.shape in self.shape
        )


class Meaning(NamedTuple):
    """What one word says: the attribute it speaks of, and what it allows there."""

    attribute: str
    allowed: frozenset[str]


def holds(concept: Concept, scene: Scene) -> bool:
    """Whether the background, or at least one thing, is what the concept says."""
    if concept.background is not None:
        return scene.background in concept.background
    return any(concept.matches(thing) for thing in scene.things)


@lru_cache(maxsize=4096)
def read_concept(text: str) -> Concept:
    """The concept behind such as "a large striped red star", "warm things", "patterned" or "dark background", "star in
    the upper left", "moon except dotted".

    Adjectives may stand in any order. Raises UserError of kind "unknown_phrase" for words that are not known or not
    in place, for words that together fit nothing, and for an exception that is not of one attribute or a place.
    """
    parts = narrowed(" ".join(text.lower().split()))
    concept = _of_words(parts.thing, text)
    if parts.place:
        concept = _placed(concept, frozenset({parts.place}), text)
    if parts.exception:
        concept = _excepting(concept, parts.exception, text)
    return concept


def _placed(concept: Concept, allowed: frozenset[str], text: str) -> Concept:
    if concept.background is not None:
        raise _refusal(f"`{text}` gives the background a place.", "Backgrounds fill the picture.")
    if not concept.place & allowed:
        raise _refusal(f"`{text}` fits nothing: no place is all of that.", "Name one place.")
    return replace(concept, place=concept.place & allowed)


def _excepting(concept: Concept, words: str, text: str) -> Concept:
    """Without what the words say of one attribute beyond what is said, or of the place."""
    if place := place_in(words):
        return _placed(concept, frozenset(PLACES) - {place}, text)
    other = _of_words(words, text)
    said = [name for name in VALUES if not getattr(concept, name) <= getattr(other, name)]
    if len(said) > 1 or not _attributes(other) or other.background is not None:
        raise _refusal(
            f"`{words}` in `{text}` can't be excepted.", "Except one word, or a place: `moon except dotted`."
        )
    left: frozenset[str] = getattr(concept, said[0]) - getattr(other, said[0]) if said else frozenset()
    if not left:
        raise _refusal(
            f"`{text}` fits nothing: all of it is excepted.", "Except a part: `moon except dotted`."
        )
    return replace(concept, **{said[0]: left})


def _attributes(concept: Concept) -> list[str]:
    """The attributes of things that the concept says something of."""
    return [name for name in VALUES if getattr(concept, name) != frozenset(VALUES[name])]


def _of_words(thing: str, text: str) -> Concept:
    """What the words say of a thing or of the background."""
    words = thing.split()
    said = words[1:] if words[:1] and words[0] in ARTICLES else words
    if not said:
        raise _refusal(
            f"`{text}` says nothing.", 'Say what to look for, as in "red thing" or "dark background".'
        )
    meanings = [_meaning(word, text, last=place == len(said)) for place, word in enumerate(said, 1)]
    if len({meaning.attribute == "background" for meaning in meanings}) > 1:
        raise _refusal(
            f"`{text}` mixes words for things with words for the background.",
            f"A background is {', '.join(BACKGROUNDS)} or textured; all other words are said of things.",
        )
    return _joined(meanings, text)


def _joined(meanings: list[Meaning], text: str) -> Concept:
    """What is left when every word must hold of the same thing."""
    allowed: dict[str, frozenset[str]] = {}
    for attribute, words in meanings:
        allowed[attribute] = allowed.get(attribute, words) & words
        if not allowed[attribute]:
            raise _refusal(f"`{text}` fits nothing: no {attribute} is all of that.", f"Name one {attribute}.")
    return Concept(**allowed)


def _meaning(word: str, text: str, *, last: bool) -> Meaning:
    """What a word says in its place; nouns stand at the end."""
    if word in ADJECTIVES:
        return ADJECTIVES[word]
    if word not in NOUNS:
        close = get_close_matches(word, [*ADJECTIVES, *NOUNS], n=1, cutoff=0.7)
        known = "; ".join(f"{name}: {', '.join(words)}" for name, words in WORDS.items())
        hint = f'Did you mean "{close[0]}"?' if close else f"Words of the language are {known}."
        raise _refusal(f"`{word}` in `{text}` is not a known word.", hint)
    if not last:
        raise _refusal(f"`{word}` is out of place in `{text}`.", 'Name one thing, as in "large red star".')
    return NOUNS[word]


def _refusal(message: str, hint: str) -> UserError:
    return UserError(message, kind="unknown_phrase", hint=hint)


def _plural(noun: str) -> str:
    return noun + ("es" if noun.endswith(("s", "x")) else "s")


def _vocabulary() -> dict[str, Meaning]:
    """Every word that says something of an attribute, synonyms and hypernyms among them."""
    attribute_of = {word: attribute for attribute, words in WORDS.items() for word in words}
    known = {word: Meaning(attribute, frozenset({word})) for word, attribute in attribute_of.items()}
    known |= {word: known[meant] for word, meant in SYNONYMS.items()}
    known |= {
        word: Meaning(attribute_of[covered[0]], frozenset(covered)) for word, covered in HYPERNYMS.items()
    }
    return known


_SHAPES = {
    word: meaning
    for word, meaning in _vocabulary().items()
    if meaning.attribute == "shape" and word not in HYPERNYMS
}
_SINGULAR = (
    _SHAPES
    | {noun: Meaning("shape", frozenset(SHAPES)) for noun in ANYTHING}
    | {"background": Meaning("background", frozenset(BACKGROUNDS))}
)
NOUNS: dict[str, Meaning] = _SINGULAR | {_plural(noun): meaning for noun, meaning in _SINGULAR.items()}
"""Words that end a phrase, singular and plural."""
ADJECTIVES: dict[str, Meaning] = {
    word: meaning for word, meaning in _vocabulary().items() if word not in _SHAPES
}
"""All other words with a meaning. One that ends a phrase stands for "… thing" or "… background"."""


def class_of(phrase: str) -> str:
    """Which attributes the phrase speaks of: `color`, `color+shape`, `background`; `thing` where it leaves all open.

    Raises UserError for words that are not known.
    """
    concept = read_concept(phrase)
    if concept.background is not None:
        return "background"
    said = _attributes(concept) + ["place"] * (concept.place != frozenset(PLACES))
    return "+".join(said) or "thing"
