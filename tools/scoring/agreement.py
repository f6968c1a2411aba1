"""Whether a text says what its concept says: the same phrases, and for or against them as the concept is.

Decides by words, without a language model. A phrase is mentioned where the stems of all its words stand near each other
in one sentence, in any order. A mention is against it where a word such as "no", "without" or "rather than" stands
before it in the same clause. What goes beyond the concept is looked for only in sentences that say what the component
responds to, and only among phrases that the caller knows.

Not seen: synonyms ("crimson" is no mention of "red"), `|` said for `&`, what binds to what ("a red star and a circle"
mentions "red circle"), weights, and claims in words that nobody listed. A text that passes may still mislead; one that
fails leaves out or contradicts a phrase.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tools.scoring.concept import phrases, read
from tools.scoring.tree import Concept, occurrences

LOOSE = 4
"""Words that may stand between those of one phrase."""
_MARKS = re.compile(r"\[[^\[\]]*\]|\{[^{}]*\}")
_SENTENCE = re.compile(r"[.!?]+[”\"')]*(?=\s|$)|\n+")
_WORD = re.compile(r"\w+(?:[’'-]\w+)*|[,;:()–—“”]")
_AGAINST = frozenset(
    "no not without never neither nor except unless than excluding lacking lacks lack absent ignores ignore instead "
    "against cannot nothing none nobody quiet silent outside apart less least weaker lower fewer".split()
)
"""Words after which a phrase counts as ruled out, up to the end of the clause, or of the quotation that they are in."""
_CLAUSE = frozenset(", ; : ( ) – — but while whereas although though however only".split())
"""Where that ends; "not only" rules nothing out."""
_RESPONDS = re.compile(
    r"\b(?:respon[ds]\w*|fires?|fired|firing|activ\w+|detect\w*|react\w*|excit\w*|prefer\w*|likes?|loves?|select\w*|"
    r"stands? for|encod\w*|represent\w*|tracks?|follows?|lights? up|is about|driven by|"
    r"high(?:er|est)? (?:on|where|for))\b",
    re.IGNORECASE,
)
"""What sentences hold that say what a component responds to."""
_DENIES = re.compile(r"\b(?:refut|contradict|reject|fail|controls?\b|ruled out|no longer)", re.IGNORECASE)
"""What sentences hold that tell what was tried and found wrong."""
_EMPTY = frozenset(
    "a an the thing things of is are in on there some any somewhere picture pictures at".split()
)
_OF_WORDS = re.compile(r"(?:the )?(question asks(?: for)?|question names|answer is) (.+)")
_LINKS = frozenset(
    [
        "",
        *"is are be was that which who the a an nam ask about for contain word say read mention hold “ ” :".split(),
    ]
)
"""Stems that may stand between "question" or "answer" and the words that it names, asks for, or is; "" is a "no"."""
_IRREGULAR = {"people": "person", "men": "man", "women": "woman", "children": "child", "mice": "mouse"}


_NEUTRAL = frozenset(
    "and or but with where when object objects shape color question questions answer answers ask asks asking about "
    "name names word both either mostly also partly component neuron head fires if only other".split()
)
"""Words of a name that say nothing of a picture."""


class Agreement(NamedTuple):
    """Phrases that the text leaves out; that it speaks of, but never as the concept does; that the concept lacks."""

    missing: tuple[str, ...] = ()
    turned: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        return not any(self)


class Said(NamedTuple):
    """A word of a sentence by its stem, and whether it is ruled out there."""

    stem: str
    against: bool


def agreement(text: str, concept: Concept | str, known: Iterable[str] = ()) -> Agreement:
    """How a text agrees with its concept. `known` are phrases that a text might claim beside it.

    Raises UserError of kind "concept" for a concept that can't be read.
    """
    tree = read(concept) if isinstance(concept, str) else concept
    own = list(dict.fromkeys(occurrences(tree)))
    sentences = [(sentence, _said(sentence, phrases(tree))) for sentence in _sentences(text)]
    both = {words for words, positive in own if (words, not positive) in own}
    missing, turned = [], []
    for words, positive in own:
        mentions = {against for _, said in sentences for against in _mentions(words, said)}
        if not mentions:
            missing.append(words)
        elif mentions == {positive} and words not in both:
            turned.append(words)
    covered = {stem for words, _ in own for stem in _stems(words)}
    claims = [
        said for sentence, said in sentences if _RESPONDS.search(sentence) and not _DENIES.search(sentence)
    ]
    extra = [
        words
        for words in dict.fromkeys(known)
        if _stems(words) - covered and any(False in _mentions(words, said) for said in claims)
    ]
    return Agreement(*(tuple(dict.fromkeys(found)) for found in (missing, turned, extra)))


def beyond(name: str, concept: Concept | str) -> tuple[str, ...]:
    """Words of a short name that say something and are not the concept's, in order.

    Raises UserError of kind "concept" for a concept that can't be read.
    """
    tree = read(concept) if isinstance(concept, str) else concept
    own = {_stem(word) for words in phrases(tree) for word in _WORD.findall(words.lower())}
    own |= {_stem(word) for word in _NEUTRAL | _EMPTY | _AGAINST | _CLAUSE}
    found = [word for word in re.findall(r"\w+", name.lower()) if not word.isdecimal()]
    return tuple(dict.fromkeys(word for word in found if _stem(word) not in own))


def _sentences(text: str) -> Iterator[str]:
    """Sentences without citations and references to numbers."""
    return (sentence for sentence in _SENTENCE.split(_MARKS.sub(" ", text)) if sentence.strip())


def _said(sentence: str, own: Iterable[str]) -> list[Said]:
    """The sentence's words, for a concept that has the phrases `own`: a "no" that belongs to one rules out nothing."""
    words = [word.lower() for word in _WORD.findall(sentence)]
    plain = _named(words, own)
    found = []
    outside = within = quoted = False
    for place, word in enumerate(words):
        cue = place not in plain and (word in _AGAINST or word.endswith(("n't", "n’t")))
        found.append(Said("" if cue else _stem(word), within if quoted else outside))
        if word in "“”":
            quoted, within = word == "“", outside
        elif quoted:
            within = word not in _CLAUSE and (within or cue)
        else:
            outside = word not in _CLAUSE and (outside or cue)
    return found


def _named(words: Sequence[str], own: Iterable[str]) -> set[int]:
    """Places of words that are a name where they stand: alone in quotation marks, or in a mention of a phrase."""
    found = {
        place for place in range(1, len(words) - 1) if (words[place - 1], words[place + 1]) == ("“", "”")
    }
    for stems in (_stems(phrase) for phrase in own):
        for start in range(len(words) if stems & _AGAINST else 0):
            near = {place: _stem(words[place]) for place in range(start, len(words))[: len(stems) + LOOSE]}
            if stems <= set(near.values()) and stems - set(list(near.values())[1:]):  # begins with the phrase
                found |= {place for place, stem in near.items() if stem in stems}
    return found


def _mentions(words: str, said: Sequence[Said]) -> set[bool]:
    """For each place where the phrase is mentioned, whether it is ruled out there."""
    if asked := _OF_WORDS.fullmatch(words.lower()):
        return set(_told_of_words(_stem(asked[1].split()[0]), asked[2], said))
    stems = _stems(words)
    width = len(stems) + LOOSE
    found = set()
    for start, first in enumerate(said):
        if first.stem in stems and stems <= {one.stem for one in said[start : start + width]}:
            found.add(first.against)
    return found


def _told_of_words(of: str, words: str, said: Sequence[Said]) -> Iterator[bool]:
    """The same of a phrase about question or answer: its words must follow that one, with nothing between that says
    more, or stand right before it ("a question that names “star”", "star questions", but not "at the answer where a
    star holds")."""
    tail = [_stem(word) for word in _WORD.findall(words)]
    for start, first in enumerate(said):
        if first.stem != of:
            continue
        place = start + 1
        while place < len(said) and said[place].stem in _LINKS and said[place].stem != tail[0]:
            place += 1
        before = [one for one in said[:start] if one.stem not in "“”"][-len(tail) :]
        for found in (said[place : place + len(tail)], before):
            if [one.stem for one in found] == tail:
                yield found[0].against


def _stems(words: str) -> frozenset[str]:
    """Of the words that say something; of a phrase about question or answer, which of them, and the word."""
    asked = _OF_WORDS.fullmatch(words.lower())
    if asked:
        return frozenset({_stem(asked[1].split()[0]), *map(_stem, _WORD.findall(asked[2]))})
    found = [word for word in _WORD.findall(words.lower()) if word not in _CLAUSE]
    return frozenset(map(_stem, [word for word in found if word not in _EMPTY] or found))


def _stem(word: str) -> str:
    """The word without its ending, alike for "stars" and "star", "striped" and "stripes", "dotted" and "dots"."""
    word = _IRREGULAR.get(word, word)
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if re.search(r"(?:s|x|z|ch|sh)es$", word):
        word = word[:-2]
    elif re.search(r"[^su]s$", word) and len(word) > 3:
        word = word[:-1]
    short = re.sub(r"(?:ed|ing)$", "", word)
    if len(short) >= 3 and re.search(r"[aeiouy]", short):
        word = re.sub(r"([^aeiouls])\1$", r"\1", short)
    return word[:-1] if word.endswith("e") and len(word) > 3 else word
