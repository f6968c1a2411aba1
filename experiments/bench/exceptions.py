"""Exceptions: what a description rules out, in its concept ("red thing & !striped thing", "red thing except striped")
or in its words ("red things, except in the upper left quarter").

Knows where exceptions are said, and when they are the true one. Knows nothing about what units do.
"""

from __future__ import annotations

import re

from store.errors import UserError
from store.records import Description
from tools.scoring.concept import read
from tools.scoring.narrowing import narrowed
from tools.scoring.tree import occurrences

_CLAUSE = re.compile(r"\b(?:except|but not)\b([^.;\[]*)", re.IGNORECASE)
"""From the word that begins an exception to the end of its clause, or to the receipt."""
SAYS_NOTHING = frozenset({"thing", "things", "a", "an", "the", "in", "on", "of", "where", "for"})


def excepts(description: Description) -> tuple[frozenset[str], ...]:
    """The words of each exception: of phrases that the concept rules out, and of clauses in label and text."""
    try:
        found = tuple(occurrences(read(description.concept))) if description.concept else ()
        ruled_out = [one.words for one in found if not one.positive]
        ruled_out += [narrowed(one.words).exception for one in found if one.positive]
    except UserError:
        ruled_out = []
    said = [clause for text in (description.label, description.text) for clause in _CLAUSE.findall(text)]
    return tuple(words for phrase in (*ruled_out, *said) if (words := _words(phrase)))


def names(description: Description, exception: str) -> bool:
    """Whether one of the exceptions that a description makes says all words of this one."""
    return any(_words(exception) <= words for words in excepts(description))


def _words(phrase: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+", phrase.lower())) - SAYS_NOTHING
