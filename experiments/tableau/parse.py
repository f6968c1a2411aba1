"""From words back to meaning: the question behind a text, by the same templates that wrote it.

Refuses what the grammar does not hold: synonyms, a wrong article or a phrase out of order give None, not a guess.
Case and spaces around punctuation do not matter.
"""

from __future__ import annotations

import re
from functools import lru_cache

from experiments.tableau.phrases import Phrase, parse_phrase
from experiments.tableau.questions import (
    DIRECTIONS,
    KINDS,
    RELATIONS,
    TEMPLATES,
    Fact,
    Kind,
    Question,
    Relation,
)
from experiments.tableau.scene import COLORS, SHAPES

_FACT = rf"the (?P<shape>{'|'.join(SHAPES)}) is (?P<color>{'|'.join(COLORS)}) \."
_WORDS = r"[a-z ]+"
_SLOTS = {
    "a": _WORDS,
    "phrase": _WORDS,
    "plural": _WORDS,
    "other": _WORDS,
    "relation": "|".join(RELATIONS),
    "direction": "|".join(DIRECTIONS.values()),
    "facts": "[a-z .]+",
}
_PHRASES = ("a", "phrase", "plural", "other")
_MEANINGS: dict[Kind, str] = {
    "polling": "whether there is {phrase}",
    "color": "the color of the {phrase}",
    "shape": "the shape of the {phrase}",
    "fill": "the fill of the {phrase}",
    "size": "the size of the {phrase}",
    "background": "the background",
    "counting": "the number of {plural}",
    "relation": "the shape of the one thing {relation} the {phrase}",
    "relation_yn": "whether the {phrase} is {relation} the {other}",
    "two_hop": "the color of the one thing {relation} the {phrase}",
    "compare": "the shape of the thing that is further {direction}, the {phrase} or the {other}",
    "sign": "the word on the sign",
    "context": "the color that the text gives the {phrase}",
}
_EXAMPLES = (
    "what color is the star ?",
    "is there a red star ?",
    "how many stars are there ?",
    "what is left of the star ?",
)


def parse(text: str) -> Question | None:
    """The question that has this text, or None when no wording of any kind gives it."""
    plain = " ".join(re.findall(r"\w+|[^\w\s]", text.lower()))
    for kind, pattern in _patterns():
        match = pattern.fullmatch(plain)
        question = _question(kind, match.groupdict()) if match else None
        if question:
            return question
    return None


def explain(text: str) -> str:
    """One sentence that says what a text was understood to ask, or that it was not."""
    question = parse(text)
    if question is None:
        examples = ", ".join(f"`{example}`" for example in _EXAMPLES)
        return f"not in the grammar: `{text}`; the grammar knows questions such as {examples}"
    phrase = question.phrase
    meaning = _MEANINGS[question.kind].format(
        phrase=phrase.with_article if question.kind == "polling" else phrase,
        plural=phrase.plural,
        relation=question.relation,
        other=question.other,
        direction=DIRECTIONS[question.relation] if question.relation else "",
    )
    return f"asks {'' if meaning.startswith('whether') else 'for '}{meaning}"


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    """Every wording as a pattern whose groups are named after the template's slots."""
    return tuple((kind, _pattern(template)) for kind in KINDS for template in TEMPLATES[kind])


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    return re.compile(
        "".join(
            f"(?P<{part}>{_SLOTS[part]})" if index % 2 else re.escape(part)
            for index, part in enumerate(parts)
        )
    )


def _question(kind: Kind, slots: dict[str, str]) -> Question | None:
    """The question with these slots filled in, if each holds what it should."""
    phrases = {name: _phrase(name, text) for name, text in slots.items() if name in _PHRASES}
    facts = _facts(slots.get("facts", ""))
    if None in phrases.values() or facts is None:
        return None
    phrase = next((found for name, found in phrases.items() if found and name != "other"), Phrase())
    return Question(kind, phrase, _relation(slots), phrases.get("other"), facts)


def _phrase(slot: str, text: str) -> Phrase | None:
    """The phrase in a slot: with its article, in the plural or bare, as the slot demands."""
    bare = text.partition(" ")[2] if slot == "a" else text
    phrase = parse_phrase(bare)
    if phrase is None:
        return None
    written = {"a": phrase.with_article, "plural": phrase.plural}.get(slot, str(phrase))
    return phrase if written == text else None


def _facts(text: str) -> tuple[Fact, ...] | None:
    """The facts in a row, or None when something else stands between them."""
    facts = tuple(Fact(found["shape"], found["color"]) for found in re.finditer(_FACT, text))  # type: ignore[arg-type]
    return facts if " ".join(map(str, facts)) == text else None


def _relation(slots: dict[str, str]) -> Relation | None:
    if "direction" in slots:
        return next(relation for relation, word in DIRECTIONS.items() if word == slots["direction"])
    return next((relation for relation in RELATIONS if relation == slots.get("relation")), None)
