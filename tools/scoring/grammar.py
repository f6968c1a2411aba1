"""How concepts are written: `[red star] | moon & !dark background`, `0.7 star + 0.3 moon`.

    concept := sum | any
    sum     := term ("+" term)+        at the top, or in parentheses
    term    := weight one              a weight is a number with a decimal point, above 0
    any     := all ("|" all)*
    all     := one ("&" one)*
    one     := phrase | "[" phrase "]" | "!" one | "(" concept ")"

A phrase is any words without the signs `| & ! + ( ) [ ]`; in brackets all but brackets may stand, and the words are
taken as they are. Capitals and spaces do not count. Knows nothing about what words mean: `red circle` is one phrase,
which a judge looks for in one thing; `red & circle` are two, which may hold of two things.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from store.errors import UserError
from tools.scoring.tree import All, Any, Concept, Not, Phrase, Sum, Weighted

SIGNS = "|&!+()[]"
DEEPEST = 20
"""Parentheses and negations within each other, at most: nobody reads more."""
_WEIGHT = r"\d*\.\d+(?=[\s(!\[]|$)"
_TOKEN = re.compile(rf"\s*({_WEIGHT}|[|&!+()]|\[[^\[\]]*\]|[^|&!+()\[\]]+|\S)")
_WHY = (
    "join phrases as in `red star | moon`, `star & !dark background`, `(star | ring) & small`, "
    "`0.7 star + 0.3 moon`"
)


class Token(NamedTuple):
    """A sign, a weight or a phrase, and its place in the text, from 1."""

    text: str
    at: int

    @property
    def weight(self) -> Fraction | None:
        return Fraction(self.text) if re.fullmatch(_WEIGHT, self.text) else None


@lru_cache(maxsize=4096)
def read(text: str) -> Concept:
    """The concept that `text` writes. Raises UserError of kind "concept" with the place where it breaks."""
    return _Reader(text).whole()


def quoted(words: str) -> str:
    """The words as one phrase of a concept, in brackets where they would be read as something else."""
    plain = " ".join(words.split())
    signs = any(sign in plain for sign in SIGNS)
    return f"[{plain}]" if signs or re.match(_WEIGHT, plain) else plain


class _Reader:
    """Reads tokens from the left; every method takes what it names and leaves the rest."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.rest = [
            Token(" ".join(found[1].lower().split()), found.start(1) + 1)
            for found in _TOKEN.finditer(text)
            if found[1].strip()
        ]

    def whole(self) -> Concept:
        if not self.rest:
            raise self._broken("says nothing")
        concept = self._concept(0)
        if self.rest:
            raise self._broken(f"can't be read from {self._place(self.rest[0])} on")
        return concept

    def _concept(self, depth: int) -> Concept:
        if self.rest and self.rest[0].weight is not None:
            return self._sum(depth)
        concept = self._any(depth)
        if self._next("+"):
            raise self._broken(
                f"has {self._place(self.rest[0])} after a part without a weight",
                "a sum gives every part a weight with a decimal point: `0.7 star + 0.3 moon`",
            )
        return concept

    def _sum(self, depth: int) -> Sum:
        terms = [self._term(depth)]
        while self._took("+"):
            terms.append(self._term(depth))
        if self.rest and self.rest[0].text in ("|", "&"):
            raise self._broken(
                f"has {self._place(self.rest[0])} after a weighted part",
                "put parentheses around what has one weight, or around the sum: `0.7 (star | ring) + 0.3 moon`",
            )
        if len(terms) == 1:
            raise self._broken("weighs one part alone", "leave the weight out, or add a part: `+ 0.3 moon`")
        return Sum(tuple(terms))

    def _term(self, depth: int) -> Weighted:
        token = self._take()
        if token.weight is None:
            raise self._broken(
                f"has {self._place(token)} where a weight should stand", "write a whole weight as 1.0"
            )
        if not token.weight:
            raise self._broken(f"has the weight {self._place(token)}", "leave out what does not matter")
        return Weighted(token.weight, self._one(depth))

    def _any(self, depth: int) -> Concept:
        parts = [self._all(depth)]
        while self._took("|"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def _all(self, depth: int) -> Concept:
        parts = [self._one(depth)]
        while self._took("&"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self, depth: int) -> Concept:
        """A phrase, a negation, or something in parentheses."""
        token = self._take()
        if depth > DEEPEST:
            raise self._broken(f"nests deeper than {DEEPEST} at {self._place(token)}")
        if token.text == "!":
            return Not(self._one(depth + 1))
        if token.text == "(":
            inner = self._concept(depth + 1)
            if not self._took(")"):
                raise self._broken(f"opens a parenthesis that is never closed, {self._place(token)}")
            return inner
        bracketed = token.text.startswith("[") and token.text.endswith("]")
        words = token.text[1:-1].strip() if bracketed else token.text
        if not words or words in SIGNS or (token.weight is not None):
            raise self._broken(f"has {self._place(token)} where a phrase should stand")
        return Phrase(words)

    def _next(self, sign: str) -> bool:
        return bool(self.rest) and self.rest[0].text == sign

    def _took(self, sign: str) -> bool:
        found = self._next(sign)
        self.rest = self.rest[found:]
        return found

    def _take(self) -> Token:
        if not self.rest:
            raise self._broken("ends where a phrase should stand")
        first, *self.rest = self.rest
        return first

    def _place(self, token: Token) -> str:
        return f"`{token.text}` (character {token.at})"

    def _broken(self, how: str, hint: str = _WHY) -> UserError:
        return UserError(f"the concept `{self.text}` {how}", kind="concept", hint=hint)
