"""Balanced questions: sets in which the words alone tell as little as possible about the answer.

Every answer comes equally often, and every question stands before a picture of its own. Where scenes would tie words
to answers, the same words come with every answer: a polling question is asked before a scene with the thing and before
one without, a yes/no relation before the same things in other places, a counting question once for each number, so who
reads only the words is right on exactly one in two and in five.
Elsewhere the symmetry of the world does it, except for what cannot be: a held-out pair, or a second star "left of the
star". There one answer in eight drops out. `compare` names the two shapes between which it asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain, count, islice, repeat
from typing import NamedTuple, TypeVar

import numpy as np

from experiments.tableau.asker import Asker
from experiments.tableau.data import SOURCES, scene
from experiments.tableau.phrases import ATTRIBUTES, Phrase, census, find, full
from experiments.tableau.questions import (
    ANSWERS,
    KINDS,
    NUMBERS,
    TEMPLATES,
    Kind,
    Question,
    Unanswerable,
    answer,
)
from experiments.tableau.sampler import HELD_OUT, SIGN_SHARE, any_thing, arranged
from experiments.tableau.scene import BACKGROUNDS, Scene, Thing
from store.errors import UserError

T = TypeVar("T")
COUNTED: dict[tuple[str, ...], float] = {
    (): 0.10,
    ("shape",): 0.22,
    ("color",): 0.22,
    ("fill",): 0.08,
    ("size",): 0.08,
    ("color", "shape"): 0.10,
    ("fill", "shape"): 0.04,
    ("size", "shape"): 0.04,
    ("fill", "color"): 0.04,
    ("size", "color"): 0.04,
    ("size", "fill"): 0.04,
}
"""What a counting question says of the things to count, and how often; () is "things"."""
WINDOW = 48
"""Scenes among which the one without the polled thing is looked for."""
NEAR = 0.7
"""Share of polling questions for which that scene should hold a near miss: a thing that differs in one word."""
ATTEMPTS = 20
SEEDED_APART = 1000
"""First word of these sets' seeds; the sampler's begin with the index of a distribution."""


class Item(NamedTuple):
    """A question in words before a scene, and its one right answer; no scene where the words say all."""

    scene: Scene | None
    question: Question
    text: str
    answer: str


def balanced(kind: Kind, n: int, seed: int = 0, scenes: Iterator[Scene] | None = None) -> list[Item]:
    """`n` questions of a kind; the numbers of any two of its answers (ANSWERS) differ by at most one.

    `scenes`, which must not end, replaces the fresh scenes of `check`. Raises ValueError when it is given for
    counting: those scenes are made to order, since four red stars never come by chance.
    """
    index = KINDS.index(kind)
    rng = np.random.default_rng([SEEDED_APART, SOURCES["check"].stream, seed, index])
    rounds = _rounds(ANSWERS[kind], n, rng)
    if kind == "counting":
        if scenes is not None:
            raise ValueError("counting questions are asked about scenes made to order")
        return list(_counted(rounds, rng))
    if kind == "context":
        scenes = repeat(Scene("dark"))
    elif scenes is None:
        scenes = (scene("check", number, seed) for number in count((index + 1) << 32))
    if kind == "polling":
        return list(_polled(rounds, scenes, rng))
    if kind == "relation_yn":
        return list(_related(rounds, scenes, rng))
    return list(_spread(kind, Counter(chain.from_iterable(rounds)), scenes, rng))


def _rounds(answers: Sequence[str], n: int, rng: np.random.Generator) -> list[list[str]]:
    """`n` answers in rounds: every answer once in each, in random order; the last round may break off."""
    size = len(answers)
    return [[answers[i] for i in rng.permutation(size)][: n - start] for start in range(0, n, size)]


def _spread(
    kind: Kind, left: Counter[str], scenes: Iterator[Scene], rng: np.random.Generator
) -> Iterator[Item]:
    """Scene by scene the question whose answer is still needed most, until `left` is used up."""
    while any(left.values()):
        seen = next(scenes)
        choices = Asker(seen, rng).choices(kind)
        needed = [word for word in choices if left[word] > 0]
        if not needed:
            continue
        most = max(left[word] for word in needed)
        word = _pick([word for word in needed if left[word] == most], rng)
        question = _pick(choices[word], rng)
        if kind == "compare" and question.other and question.phrase.shape == question.other.shape:
            continue
        left[word] -= 1
        yield _item(None if kind == "context" else seen, question, word, _wording(kind, rng))


def _polled(
    rounds: Iterable[Sequence[str]], scenes: Iterator[Scene], rng: np.random.Generator
) -> Iterator[Item]:
    """The same words before a scene where they are true and before one where they are not."""
    waiting: list[Scene] = []
    for answers in rounds:
        waiting += islice(scenes, WINDOW - len(waiting))
        yes = waiting.pop(next(place for place, seen in enumerate(waiting) if seen.things))
        phrase = _pick([phrase for phrase in census(yes) if len(phrase.adjectives) < 3], rng)
        no = waiting.pop(_place_without(phrase, waiting, rng))
        wording = _wording("polling", rng)
        for word in answers:
            yield _item(yes if word == "yes" else no, Question("polling", phrase), word, wording)


def _place_without(phrase: Phrase, waiting: Sequence[Scene], rng: np.random.Generator) -> int:
    """Where a scene waits in which the phrase fits nothing."""
    without = [place for place, seen in enumerate(waiting) if not find(phrase, seen)]
    near = [place for place in without if any(_misses(phrase, thing) == 1 for thing in waiting[place].things)]
    return _pick(near if phrase.said > 1 and near and rng.random() < NEAR else without, rng)


def _misses(phrase: Phrase, thing: Thing) -> int:
    """How many words of the phrase are wrong for this thing."""
    return sum(getattr(phrase, name) not in (None, getattr(thing, name)) for name in ATTRIBUTES)


def _related(
    rounds: Iterable[Sequence[str]], scenes: Iterator[Scene], rng: np.random.Generator
) -> Iterator[Item]:
    """The same words before a scene and before one where the same things stand the other way."""
    for answers in rounds:
        found: dict[str, list[Question]] = {}
        while not found:
            seen = next(scenes)
            found = Asker(seen, rng).choices("relation_yn")
        word = _pick(sorted(found), rng)
        question, wording = _pick(found[word], rng), _wording("relation_yn", rng)
        turned = _rearranged(seen, question, "no" if word == "yes" else "yes", rng)
        for asked in answers:
            yield _item(seen if asked == word else turned, question, asked, wording)


def _rearranged(seen: Scene, question: Question, word: str, rng: np.random.Generator) -> Scene:
    """The same things in other places, where the answer is `word`."""
    while True:
        with suppress(UserError, Unanswerable):
            other = arranged(rng, seen.things, seen.background, sign=seen.sign is not None)
            if answer(question, other) == word:
                return other


def _counted(rounds: Iterable[Sequence[str]], rng: np.random.Generator) -> Iterator[Item]:
    """The same words before scenes with zero, one, … of the things that they name."""
    kinds, shares = list(COUNTED), list(COUNTED.values())
    for answers in rounds:
        said = kinds[int(rng.choice(len(kinds), p=shares))]
        model = full(any_thing(rng))
        phrase = Phrase(**{name: getattr(model, name) for name in said})
        wording = _wording("counting", rng)
        for word in answers:
            seen = _scene_with(NUMBERS.index(word), phrase, rng)
            yield _item(seen, Question("counting", phrase), word, wording)


def _scene_with(number: int, phrase: Phrase, rng: np.random.Generator) -> Scene:
    """A scene with so many things that the phrase fits, and up to four things in all."""
    most = len(NUMBERS) - 1
    for _ in range(ATTEMPTS):
        others = int(rng.integers(most - number + 1)) if phrase != Phrase() else 0
        things = [_fitting(phrase, rng) for _ in range(number)] + [_other(phrase, rng) for _ in range(others)]
        sign = len(things) < most and rng.random() < SIGN_SHARE
        try:
            return arranged(rng, things, _pick(BACKGROUNDS, rng), sign=sign)
        except UserError:
            continue
    raise RuntimeError(f"no room for {number} × {phrase} in {ATTEMPTS} attempts")


def _fitting(phrase: Phrase, rng: np.random.Generator) -> Thing:
    said = {name: getattr(phrase, name) for name in ATTRIBUTES if phrase.names(name)}
    while True:
        thing = replace(any_thing(rng), **said)
        if (thing.color, thing.shape) not in HELD_OUT:
            return thing


def _other(phrase: Phrase, rng: np.random.Generator) -> Thing:
    while True:
        thing = any_thing(rng)
        if not phrase.matches(thing):
            return thing


def _item(seen: Scene | None, question: Question, word: str, wording: int) -> Item:
    return Item(seen, question, question.text(wording), word)


def _wording(kind: Kind, rng: np.random.Generator) -> int:
    return int(rng.integers(len(TEMPLATES[kind])))


def _pick(options: Sequence[T], rng: np.random.Generator) -> T:
    return options[int(rng.integers(len(options)))]
