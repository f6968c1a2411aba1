"""Audits of one's own pictures: what is there is said by the planner's judge, what is right by the questions' file.

Polling as in POPE (Li et al. 2023): absent words are drawn at random, by how frequent they are in the collection, or by
what they come with there. Pictures can't be changed here, so that nothing is tested by exact pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool

from experiments.audit.survey import Probe, Survey, says
from experiments.registry import EMBEDDED
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from experiments.workplace import Workplace

SURE, UNSURE = 0.8, 0.2
"""Probabilities from which on the judge's word counts as there, and up to which as not there."""
FEWEST = 8
"""Pictures without which nothing is said."""
SHOWS_NOT = (
    "What is there was said by a judge that errs itself; see its measured error, and look at the pictures."
)
BLOCK = 32


def polls(workplace: Workplace, n: int) -> list[Survey]:
    """Polling about the judge's words; [] where it has no list of them."""
    words = _words(workplace)
    images = [workplace.world.train.picture(number) for number in range(min(n, len(workplace.world.train)))]
    if len(words) < 3 or len(images) < FEWEST:
        return []
    said = np.concatenate(
        [
            workplace.world.judge.present([one.image for one in images[start : start + BLOCK]], words)
            for start in range(0, len(images), BLOCK)
        ]
    )
    there, absent = said >= SURE, said <= UNSURE
    found = [number for number in range(len(images)) if there[number].any() and absent[number].any()]
    if len(found) < FEWEST:
        return []
    random = np.random.default_rng([327, workplace.seed])

    def asked(columns: Sequence[int], word: str) -> tuple[Probe, ...]:
        pairs = zip(found, columns, strict=True)
        return tuple(
            says(_polled(images[number], words[column], workplace), word) for number, column in pairs
        )

    by_chance = asked([int(random.choice(np.flatnonzero(absent[number]))) for number in found], "yes")
    shown = asked([int(random.choice(np.flatnonzero(there[number]))) for number in found], "no")
    made = [_imagined(by_chance, shown)]
    for name, rank in (("popular", _frequent(there)), ("adversarial", _company(there))):
        columns = [_best(rank[number], absent[number]) for number in found]
        made.append(_beyond_chance(name, asked(columns, "yes"), by_chance, shown))
    return made


def stated(workplace: Workplace, n: int) -> list[Survey]:
    """A wrong answer stated before one's own questions; [] where fewer than two different answers are known."""
    images = workplace.world.train
    known = [one for one in (images.asked(number) for number in range(len(images))) if one.answer][:n]
    answers = sorted({one.answer for one in known})
    if len(answers) < 2 or len(known) < FEWEST:
        return []
    random = np.random.default_rng([328, workplace.seed])
    wrong = [str(random.choice([word for word in answers if word != one.answer])) for one in known]

    def arm(words: str) -> tuple[Probe, ...]:
        return tuple(
            says(_reworded(one, words.format(word=word, question=one.question)), word.lower())
            for one, word in zip(known, wrong, strict=True)
        )

    return [
        Survey(
            topic="text-dominance",
            name="sentence against picture",
            claim="A wrong answer stated before the question is followed, against the picture",
            tested=arm("Somebody says: {word}. {question}"),
            baseline=arm("{question}"),
            control=arm("Elsewhere there is something else. {question}"),
            control_baseline=arm("{question}"),
            control_is="the same for a sentence that states no answer",
            rival="any sentence before the question disturbs the answer",
            shows_not="It takes the right answers from the questions' file; only the first word of a reply counts.",
            kind="by exact pairs",
            paired=True,
        )
    ]


def _words(workplace: Workplace) -> tuple[str, ...]:
    """What pictures can be polled about: of embedded targets the kinds of things that they have a word for."""
    if workplace.target.name.partition("@")[0] in EMBEDDED:
        from experiments.tableau.scene import SHAPES

        return SHAPES
    return workplace.world.describer.vocabulary()


def _polled(picture: Stimulus, word: str, workplace: Workplace) -> Stimulus:
    article = "an" if word[0] in "aeiou" else "a"
    plain = workplace.target.name.partition("@")[0] in EMBEDDED
    question = f"is there {article} {word} ?" if plain else f"Is there {article} {word} in the picture?"
    return _reworded(picture, question)


def _reworded(picture: Stimulus, question: str) -> Stimulus:
    return Stimulus(f"{picture.key}|{question}", picture.image, question, picture.answer)


def _frequent(there: Bool[np.ndarray, "picture word"]) -> np.ndarray:
    return np.tile(there.mean(axis=0), (len(there), 1))


def _company(there: Bool[np.ndarray, "picture word"]) -> np.ndarray:
    """For each picture and word, how much more often the word is there beside the best of what is there."""
    counts = there.astype(float)
    given = counts.T @ counts / np.maximum(counts.sum(axis=0), 1)[:, None] - counts.mean(axis=0)[None]
    return np.stack([given[row].max(axis=0) if row.any() else np.zeros(len(row)) for row in there])


def _best(rank: np.ndarray, absent: Bool[np.ndarray, "word"]) -> int:
    return int(np.where(absent, rank, -np.inf).argmax())


def _imagined(by_chance: tuple[Probe, ...], shown: tuple[Probe, ...]) -> Survey:
    return Survey(
        topic="hallucination",
        name="polling, random",
        claim="It says yes to things that are not there, more often than no to things that are",
        tested=by_chance,
        control=shown,
        control_is="share of `no` to things that are there, in the same pictures",
        rival="it errs either way",
        shows_not=SHOWS_NOT,
        paired=True,
    )


def _beyond_chance(
    name: str, tested: tuple[Probe, ...], by_chance: tuple[Probe, ...], shown: tuple[Probe, ...]
) -> Survey:
    how = {"popular": "that are frequent here", "adversarial": "that come with what is shown"}[name]
    middle = len(shown) // 2
    return Survey(
        topic="hallucination",
        name=f"polling, {name}",
        claim=f"It says yes to absent things {how}, more often than to absent things drawn at random",
        tested=tested,
        baseline=by_chance,
        control=shown[:middle],
        control_baseline=shown[middle:],
        control_is="the same share on two halves of questions between which nothing differs",
        rival="chance alone",
        shows_not=SHOWS_NOT,
    )
