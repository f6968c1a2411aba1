"""Concepts as combinations of phrases: `star | moon`, `red & !dark background`, `(star | ring) & small`.

Knows the grammar (`!` binds closest, then `&`, then `|`; parentheses; `[red circle]` is one phrase) and how presences
combine: probabilities of independent events. Knows nothing about who judges a phrase, or what its words mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from store.errors import UserError

Presence = Float[np.ndarray, "stimulus"]
_TOKEN = re.compile(r"\s*([|&!()]|\[[^\[\]]*\]|[^|&!()\[\]]+|.)")
_WHY = "join phrases as in `red star | moon`, `star & !dark background`, `(star | ring) & small`"


@dataclass(frozen=True, slots=True)
class Phrase:
    """What a judge is asked, word for word."""

    words: str


@dataclass(frozen=True, slots=True)
class Not:
    of: Concept


@dataclass(frozen=True, slots=True)
class All:
    """All parts hold somewhere in the picture, not necessarily of the same thing."""

    of: tuple[Concept, ...]


@dataclass(frozen=True, slots=True)
class Any:
    of: tuple[Concept, ...]


Concept = Phrase | Not | All | Any


@lru_cache(maxsize=4096)
def read(text: str) -> Concept:
    """The concept that `text` writes. Raises UserError of kind "concept" with the place where it breaks."""
    tokens = [token for found in _TOKEN.finditer(text) if (token := " ".join(found[1].split()))]
    if not tokens:
        raise _broken(text, "says nothing")
    concept, rest = _any(tokens, text)
    if rest:
        raise _broken(text, f"can't be read from `{rest[0]}` on")
    return concept


def phrases(concept: Concept | str) -> tuple[str, ...]:
    """Every phrase of the concept, each once, in order."""
    return tuple(dict.fromkeys(_phrases(read(concept) if isinstance(concept, str) else concept)))


def concept_values(concept: Concept | str, column: Callable[[str], Presence]) -> Presence:
    """Presence of the concept in every stimulus, from 0 to 1; `column` gives that of a phrase.

    Parts are taken as independent: P(a | b) = 1 − (1 − a)(1 − b), P(a & b) = ab, P(!a) = 1 − a. For a judge that is
    sure (0 or 1) this is logic.
    """
    match read(concept) if isinstance(concept, str) else concept:
        case Phrase(words):
            return np.asarray(column(words), dtype=np.float64)
        case Not(part):
            return 1 - concept_values(part, column)
        case All(parts):
            return np.prod([concept_values(part, column) for part in parts], axis=0)
        case Any(parts):
            return 1 - np.prod([1 - concept_values(part, column) for part in parts], axis=0)


def _phrases(concept: Concept) -> Iterator[str]:
    match concept:
        case Phrase(words):
            yield words
        case Not(part):
            yield from _phrases(part)
        case All(parts) | Any(parts):
            for part in parts:
                yield from _phrases(part)


def _any(tokens: list[str], text: str) -> tuple[Concept, list[str]]:
    parts, rest = _joined("|", _all, tokens, text)
    return (parts[0] if len(parts) == 1 else Any(tuple(parts))), rest


def _all(tokens: list[str], text: str) -> tuple[Concept, list[str]]:
    parts, rest = _joined("&", _one, tokens, text)
    return (parts[0] if len(parts) == 1 else All(tuple(parts))), rest


def _joined(
    sign: str,
    part: Callable[[list[str], str], tuple[Concept, list[str]]],
    tokens: list[str],
    text: str,
) -> tuple[list[Concept], list[str]]:
    """Parts with `sign` between them, and what is left."""
    first, rest = part(tokens, text)
    found = [first]
    while rest[:1] == [sign]:
        following, rest = part(rest[1:], text)
        found.append(following)
    return found, rest


def _one(tokens: list[str], text: str) -> tuple[Concept, list[str]]:
    """A phrase, a negation, or something in parentheses."""
    if not tokens:
        raise _broken(text, "ends where a phrase should stand")
    token, rest = tokens[0], tokens[1:]
    if token == "!":
        part, rest = _one(rest, text)
        return Not(part), rest
    if token == "(":
        inner, rest = _any(rest, text)
        if rest[:1] != [")"]:
            raise _broken(text, "opens a parenthesis that is never closed")
        return inner, rest[1:]
    words = " ".join(token[1:-1].split()) if token.startswith("[") and token.endswith("]") else token
    if not words or words in "|&!()[]":
        raise _broken(text, f"has `{token}` where a phrase should stand")
    return Phrase(words), rest


def _broken(text: str, how: str) -> UserError:
    return UserError(f"the concept `{text}` {how}", kind="concept", hint=_WHY)
