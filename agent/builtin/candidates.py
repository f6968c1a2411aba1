"""Candidates: which phrases may be what a component stands for, read from descriptions and from comparisons.

Knows how counts become a correlation and which phrases are worth joining; knows nothing about hypotheses. Whatever is
chosen here has yet to survive a test.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import sqrt
from typing import Any, NamedTuple

from agent.thread import ThreadView, quantities
from store.records import Experiment, Reading
from tools.scoring.grammar import quoted

FEWEST = 6
"""Active pictures that a phrase must be found in before it is a candidate."""
LEAST = 0.12
"""Correlation with being active, below which a phrase is not worth a test."""
PARTNER = 0.3
"""Share of the best phrase's correlation that one must have to be joined with another."""
PAIRS = 3
"""Pairs of phrases that are tried together."""
EVERYDAY = frozenset(
    "a an the is are of there in on it do does you any what which how many to that this or and".split()
)
"""Words of questions that stand in all kinds of them."""


class Candidate(NamedTuple):
    """A phrase under a reading; `weight` is an estimate of its correlation with activation."""

    concept: str
    reading: Reading
    weight: float


class Compared(NamedTuple):
    """A concept that was compared on pictures: its correlation with the component, and the experiment that gave it."""

    concept: str
    reading: Reading
    rho: float
    experiment: Experiment


def candidates(view: ThreadView) -> list[Candidate]:
    """Every phrase worth a test, best first, from all descriptions of the thread."""
    found = [one for experiment in view.of("describe") for one in _of(experiment)]
    return sorted(found, key=lambda one: (-one.weight, len(one.concept), one.concept))


def comparisons(view: ThreadView) -> list[Compared]:
    """What the comparisons on pictures found, best first."""
    found = []
    for experiment in view.of("activations"):
        concept, have = str(experiment.arguments.get("concept") or ""), quantities(experiment)
        if concept and "pearson" in have:
            found.append(Compared(concept, reading_of(experiment), have["pearson"].value, experiment))
    return sorted(found, key=lambda one: (-one.rho, len(one.concept)))


def unions(found: Sequence[Compared]) -> list[str]:
    """Phrases that hold elsewhere than each other, joined: `a | b` and `a & b` of the best pairs.

    The best phrase need not be one of them: where "red star" does well, a red thing beside a star may do better.
    """
    best = found[:1]
    alike = [one for one in found if one.reading == best[0].reading and one.rho > PARTNER * best[0].rho]
    pairs = [
        (first, second)
        for first, second in combinations(alike, 2)
        if not _overlap(first.concept, second.concept)
    ]
    pairs.sort(key=lambda pair: -(pair[0].rho + pair[1].rho))
    return [
        f"{first.concept} {sign} {second.concept}" for first, second in pairs[:PAIRS] for sign in ("|", "&")
    ]


def varied(found: Sequence[Candidate], most: int) -> list[Candidate]:
    """The best ones; of those that say more or less than a better one, only the first: many ways to narrow one phrase
    ("large red thing", "solid red thing") would leave no place for another."""
    chosen: list[Candidate] = []
    close = 0
    for one in found:
        alike = any(_overlap(one.concept, other.concept) for other in chosen)
        close += alike
        if (not alike or close == 1) and len(chosen) < most:
            chosen.append(one)
    return chosen


def parts(view: ThreadView, chosen: Sequence[Candidate]) -> list[Candidate]:
    """The single words that the best phrase of two words is made of, as the describer says them elsewhere: two things
    that must come together are often seen in one ("red circle"), and each alone may look weak."""
    pairs = [one for one in chosen if len(content(one.concept)) == 2]
    said = sorted({str(told["phrase"]) for e in view.of("describe") for told in e.result.get("phrases", ())})
    have = {one.concept for one in chosen}
    return [
        Candidate(phrase, pair.reading, 0.0)
        for pair in pairs[:1]
        for phrase in said
        if len(content(phrase)) == 1 and content(phrase) < content(pair.concept) and phrase not in have
    ]


def reading_of(experiment: Experiment) -> Reading:
    given: Any = experiment.arguments.get("reading") or {}
    return Reading.model_validate(given)


def _of(experiment: Experiment) -> Iterator[Candidate]:
    """Phrases about the picture, and about the question where its tokens are read: the picture stands before it."""
    result, reading = experiment.result, reading_of(experiment)
    active, calm = result.get("n", 0), result.get("calm", 0)
    for told in result.get("phrases", ()):
        yield from _worth(told, told["phrase"], reading, active, calm)
    if reading.scope == "visual":
        return
    for told in result.get("words", ()):
        word = str(told["phrase"])
        if word.startswith("answer: "):
            yield from _worth(
                told, quoted(f"answer is {word.removeprefix('answer: ')}"), reading, active, calm
            )
        elif word.startswith("kind: "):
            yield from _worth(
                told, quoted(f"question asks for {word.removeprefix('kind: ')}"), reading, active, calm
            )
        elif word not in EVERYDAY and len(word) > 1:
            yield from _worth(told, f"question names {word}", reading, active, calm)


def _worth(
    told: dict[str, Any], concept: str, reading: Reading, active: int, calm: int
) -> Iterator[Candidate]:
    weight = phi(told["active"], active, told["inactive"], calm)
    if told["active"] >= FEWEST and weight >= LEAST:
        yield Candidate(concept, reading, weight)


def phi(hits: int, active: int, misses: int, calm: int) -> float:
    """Correlation of showing a phrase with being active: `hits` of `active`, `misses` of `calm`; 0 if constant."""
    shown, hidden = hits + misses, active + calm - hits - misses
    below = active * calm * shown * hidden
    return (hits * (calm - misses) - misses * (active - hits)) / sqrt(below) if below > 0 else 0.0


def _overlap(one: str, other: str) -> bool:
    """Whether one phrase says all that the other says."""
    first, second = content(one), content(other)
    return first <= second or second <= first


def content(phrase: str) -> set[str]:
    """The words of a phrase that say something; "thing" does not."""
    return set(phrase.split()) - {"thing", "in", "the"}
