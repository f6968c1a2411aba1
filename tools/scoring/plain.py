"""Concepts in plain English: "a red star, or a moon without a dark background", "mostly a star, partly a moon".

Knows how English joins things, and which of them take an article; knows nothing about what they look like. The same
concept gives the same words, and different ones give different words: whatever could be read in two ways stands in
parentheses, and a phrase that holds a joining word in quotation marks. Not read back.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from tools.scoring.concept import read
from tools.scoring.narrowing import bare
from tools.scoring.tree import All, Any, Concept, Not, Phrase, Sum

MOSTLY = Fraction(1, 2)
"""Share above which a part is what a concept mostly is."""
LONGEST = 120
"""Characters of a label, at most."""
_LOOKS = frozenset(
    "red orange yellow green cyan blue purple pink brown black white gray grey golden crimson violet turquoise warm "
    "cool bright dark light pale colorful small large little tiny big huge tall long round pointed solid plain "
    "striped spotted dotted lined patterned textured checkered wavy shiny wet wooden metallic furry".split()
)
"""Words that name a look and no thing, where they end a phrase: "something red"."""
_MASS = frozenset(
    "water grass snow sand food text writing fur hair smoke fog rain fire ice wood metal glass foliage people children "
    "men women sheep fish clothing furniture traffic".split()
)
"""Nouns without an article."""
_DETERMINED = frozenset(
    "a an the some any no one two three four five six seven eight nine ten several many few most all both each every "
    "at more less exactly nothing something anything".split()
)
"""Words that stand where an article would."""
_JOINING = re.compile(r"[|&!+()\[\],“”]|\b(?:and|or|not|no|with|without|together|mostly|partly)\b")
_OF_WORDS = re.compile(r"(?:the )?(question asks(?: for)?|question names|answer is) (.+)")


class _Voice(NamedTuple):
    """How a phrase is said, how it is denied, how things come together, and whether weights are told."""

    there: Callable[[str], str]
    absent: Callable[[str], str]
    with_: str
    numbers: bool


def describe(concept: Concept | str, *, numbers: bool = True) -> str:
    """The concept as it stands in a sentence; `numbers` tells the weights of a sum, which are no measurements.

    Raises UserError of kind "concept" for text that can't be read.
    """
    return _said(_tree(concept), _Voice(_thing, _no_thing, "together with", numbers))


def label(concept: Concept | str, longest: int = LONGEST) -> str:
    """The concept as a name without articles: "red star or moon without dark background"; cut short with "…"."""
    name = _said(_tree(concept), _Voice(_quoted, lambda words: f"no {_quoted(words)}", "with", False))
    if len(name) <= longest:
        return name
    return name[: longest - 1].rsplit(" ", 1)[0].rstrip(" ,(") + "…"


def _tree(concept: Concept | str) -> Concept:
    return read(concept) if isinstance(concept, str) else concept


def _said(concept: Concept, voice: _Voice) -> str:
    match concept:
        case Phrase(words):
            return voice.there(words)
        case Not(Not(part)):
            return _said(part, voice)
        case Not(Phrase(words)):
            return voice.absent(words)
        case Not(part):
            return f"not ({_said(part, voice)})"
        case All():
            return _together(_flat(concept), voice)
        case Any():
            return _either(_flat(concept), voice)
        case Sum():
            return _weighed(concept, voice)


def _flat(concept: All | Any) -> list[Concept]:
    """The parts, with those of parts of the same form in their place, and no double negations."""
    found: list[Concept] = []
    for part in concept.of:
        while isinstance(part, Not) and isinstance(part.of, Not):
            part = part.of.of
        found += _flat(part) if isinstance(part, All | Any) and type(part) is type(concept) else [part]
    return found


def _together(parts: list[Concept], voice: _Voice) -> str:
    """What is there comes first, what is not there last."""
    there = sorted(
        (part for part in parts if not isinstance(part, Not)), key=lambda part: type(part) is not Phrase
    )
    absent = [part for part in parts if isinstance(part, Not)]
    if not there:
        return " and ".join(_said(part, voice) for part in absent)
    whole = f" {voice.with_} ".join(_enclosed(part, voice) for part in there)
    return whole + " and".join(f" without {_enclosed(part.of, voice)}" for part in absent)


def _either(parts: list[Concept], voice: _Voice) -> str:
    """A comma tells that a part is longer than one phrase."""
    told = [f"({_said(part, voice)})" if isinstance(part, Sum) else _said(part, voice) for part in parts]
    if all(isinstance(part, Phrase) for part in parts) and len(parts) == 2:
        return " or ".join(told)
    return f"{', '.join(told[:-1])}, or {told[-1]}"


def _weighed(concept: Sum, voice: _Voice) -> str:
    parts = sorted(concept.shares, key=lambda part: -part.weight)
    return ", ".join(
        f"{'mostly' if weight > MOSTLY else 'partly'} {_enclosed(part, voice)}"
        + (f" ({_share(weight)})" if voice.numbers else "")
        for weight, part in parts
    )


def _enclosed(part: Concept, voice: _Voice) -> str:
    simple = isinstance(part, Phrase) or (isinstance(part, Not) and isinstance(part.of, Phrase))
    return _said(part, voice) if simple else f"({_said(part, voice)})"


def _share(weight: Fraction) -> str:
    """Two places, and never 0 or 1."""
    return f"{float(min(max(weight, Fraction(1, 100)), Fraction(99, 100))):.2f}".rstrip("0")


def _quoted(words: str) -> str:
    return f"“{words}”" if _JOINING.search(words) else words


def _thing(words: str) -> str:
    """With its article: "a red star", "an orange moon", "something red", "water", "the answer “red”"."""
    if told := _of_words(words):
        return told
    if _quoted(words) != words:
        return _quoted(words)
    thing = bare(words).split()
    first, last = thing[0], thing[-1]
    if first in _DETERMINED or last in _MASS or _plural(last):
        return words
    if last in _LOOKS:
        return f"something {words}"
    return f"{'an' if first[0] in 'aeiou' else 'a'} {words}"


def _no_thing(words: str) -> str:
    told = _thing(words)
    if told.startswith("something "):
        return f"nothing {words}"
    return f"no {words}" if told in (words, f"a {words}", f"an {words}") and _bare(words) else f"not {told}"


def _bare(words: str) -> bool:
    return words.split()[0] not in _DETERMINED


def _plural(noun: str) -> bool:
    return noun.endswith("s") and not noun.endswith(("ss", "us", "is"))


def _of_words(words: str) -> str:
    """What is said of a question or an answer, as a thing; empty for what is said of a picture."""
    found = _OF_WORDS.fullmatch(words)
    if not found:
        return ""
    what, word = found.groups()
    if what == "answer is":
        return f"the answer “{word}”"
    return f"a question that {'names' if what == 'question names' else 'asks for'} “{word}”"
