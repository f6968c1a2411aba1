"""Hallucination in the embedded world: things that are not there, asked for, told in captions, or taken away.

Polling as in POPE (Li et al. 2023): absent things are drawn at random, by how frequent they are in training, or by what
they come with there. Captions as in CHAIR (Rohrbach et al. 2018). Removal pairs as in BEAF (Ye-Bin et al. 2024).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np

from experiments.audit.survey import Probe, Replies, Survey, says
from experiments.tableau.caption_check import LONGEST
from experiments.tableau.captions import parse_caption
from experiments.tableau.edit import Remove, edit
from experiments.tableau.probes.scenes import (
    company,
    drawn,
    shapes_in,
    stimulus,
    there,
    with_a,
)
from experiments.tableau.questions import CAPTION_PROMPT
from experiments.tableau.scene import SHAPES, Scene, Shape
from tools.stimuli import Stimulus

SHOWS_NOT = "It says nothing of words that were not asked, nor why it says yes; the pictures are painted."


def hallucination(n: int, seed: int) -> Iterator[Survey]:
    """All surveys of the topic, `n` pictures an arm."""
    pictures = list(islice(drawn("regular", 1, seed, lambda seen: 0 < len(shapes_in(seen)) < 5), n))
    rng = np.random.default_rng([321, seed])
    by_chance = [(seen, _pick(_absent(seen), rng)) for seen in pictures]
    yield _imagined(by_chance, _shown([shape for _, shape in by_chance], seed))
    for name, choose in (("popular", _most_frequent), ("adversarial", _best_company)):
        yield _polled(name, by_chance, [(seen, choose(seen)) for seen in pictures], seed)
    yield _captioned(pictures)
    yield _companions(n, seed)
    yield _removed(n, seed)


def _absent(seen: Scene) -> list[Shape]:
    return [shape for shape in SHAPES if shape not in shapes_in(seen)]


def _most_frequent(seen: Scene) -> Shape:
    return max(_absent(seen), key=lambda shape: company().shape[shape])


def _best_company(seen: Scene) -> Shape:
    """The absent shape that comes most with one that is there."""
    return max(
        _absent(seen), key=lambda shape: max(company().comes_with(shape, one) for one in shapes_in(seen))
    )


def _pick(options: list[Shape], rng: np.random.Generator) -> Shape:
    return options[int(rng.integers(len(options)))]


def _asked(items: list[tuple[Scene, Shape]], word: str) -> tuple[Probe, ...]:
    return tuple(says(stimulus(seen, there(shape)), word) for seen, shape in items)


def _shown(shapes: list[Shape], seed: int) -> list[tuple[Scene, Shape]]:
    """For each shape a picture of its own that shows it."""
    sources = {
        shape: drawn("regular", 10 + SHAPES.index(shape), seed, _having(shape))
        for shape in dict.fromkeys(shapes)
    }
    return [(next(sources[shape]), shape) for shape in shapes]


def _having(shape: Shape) -> Callable[[Scene], bool]:
    return lambda seen: shape in shapes_in(seen)


def _imagined(absent: list[tuple[Scene, Shape]], shown: list[tuple[Scene, Shape]]) -> Survey:
    return Survey(
        topic="hallucination",
        name="polling, random",
        claim="It says yes to things that are not there, more often than no to things that are",
        tested=_asked(absent, "yes"),
        control=_asked(shown, "no"),
        control_is="share of `no` to the same words before pictures that show the thing",
        rival="it confuses these words either way",
        shows_not=SHOWS_NOT,
    )


def _polled(
    name: str, by_chance: list[tuple[Scene, Shape]], chosen: list[tuple[Scene, Shape]], seed: int
) -> Survey:
    how = {
        "popular": "that were frequent in training",
        "adversarial": "that came with what is shown in training",
    }[name]
    return Survey(
        topic="hallucination",
        name=f"polling, {name}",
        claim=f"It says yes to absent things {how}, more often than to absent things drawn at random",
        tested=_asked(chosen, "yes"),
        baseline=_asked(by_chance, "yes"),
        control=_asked(_shown([shape for _, shape in chosen], seed), "no"),
        control_baseline=_asked(_shown([shape for _, shape in by_chance], seed), "no"),
        control_is="the same difference in `no` before pictures that show the thing",
        rival="these words are answered worse altogether",
        shows_not=SHOWS_NOT,
    )


def _captioned(pictures: list[Scene]) -> Survey:
    """CHAIR by picture: one thing that is not there is enough, as is one that is left out."""

    def invents(seen: Scene) -> Callable[[Replies], bool]:
        return lambda replies: bool(_told(replies[0]) - shapes_in(seen))

    def omits(seen: Scene) -> Callable[[Replies], bool]:
        return lambda replies: bool(shapes_in(seen) - _told(replies[0]))

    asked = [(seen, (stimulus(seen, CAPTION_PROMPT),)) for seen in pictures]
    return Survey(
        topic="hallucination",
        name="captions",
        claim="Its captions name kinds of things that are not there, more often than they leave out what is",
        tested=tuple(Probe(one, invents(seen)) for seen, one in asked),
        control=tuple(Probe(one, omits(seen)) for seen, one in asked),
        control_is="share of the same captions that leave out a kind of thing that is there",
        rival="its captions are inexact either way",
        shows_not="Colors, fills, sizes and numbers of things are not judged here, kinds of things alone.",
        unit="share of captions",
        words=LONGEST,
        paired=True,
    )


def _told(caption: str) -> frozenset[str]:
    return frozenset(str(phrase.shape) for phrase in parse_caption(caption).things if phrase.shape)


def _companions(n: int, seed: int) -> Survey:
    """Captions of pictures to which a thing is added: do they name what it came with in training?"""
    pairs = [(one, other) for one in SHAPES for other in SHAPES if one != other]
    cue, named = max(pairs, key=lambda pair: company().comes_with(pair[1], pair[0]))
    free: Shape = min(
        (s for s in SHAPES if s not in (cue, named)), key=lambda s: abs(company().comes_with(named, s))
    )
    rng = np.random.default_rng([322, seed])
    before, after, beside = [], [], []
    fits = drawn(
        "check", 2, seed, lambda one: len(one.things) < 4 and not {cue, named, free} & shapes_in(one)
    )
    for seen in fits:
        with_cue, with_free = with_a(seen, cue, rng), with_a(seen, free, rng)
        if with_cue and with_free:
            before.append(seen)
            after.append(with_cue)
            beside.append(with_free)
        if len(before) == n:
            break

    def naming(seen: list[Scene]) -> tuple[Probe, ...]:
        return tuple(
            Probe((stimulus(one, CAPTION_PROMPT),), lambda replies: named in _told(replies[0]))
            for one in seen
        )

    return Survey(
        topic="hallucination",
        name=f"captions, {named} beside a {cue}",
        claim=f"A {cue} added to a picture makes its caption name a {named} that is not there",
        tested=naming(after),
        baseline=naming(before),
        control=naming(beside),
        control_baseline=naming(before),
        control_is=f"the same for an added {free}, which did not come with a {named} in training",
        rival="any further thing makes captions less exact",
        shows_not="One companionship was tested, the strongest in the training distribution.",
        unit="share of captions",
        kind="by exact pairs",
        words=LONGEST,
        paired=True,
    )


def _removed(n: int, seed: int) -> Survey:
    """BEAF: a thing is taken away; asked for it and for another thing, before and after."""
    rng = np.random.default_rng([323, seed])
    gone: list[tuple[Stimulus, Stimulus]] = []
    other: list[tuple[Stimulus, Stimulus]] = []
    for seen in drawn("check", 3, seed, lambda one: len(one.things) == len(shapes_in(one)) >= 2):
        first, second = rng.permutation(len(seen.things))[:2]
        after = edit(seen, Remove(int(first)))
        for asked, index in ((gone, first), (other, second)):
            question = there(seen.things[int(index)].shape)
            asked.append((stimulus(seen, question), stimulus(after, question)))
        if len(gone) == n:
            break

    def share(pairs: list[tuple[Stimulus, Stimulus]], *wanted: tuple[str, str]) -> tuple[Probe, ...]:
        return tuple(Probe(pair, lambda replies: replies in wanted) for pair in pairs)

    return Survey(
        topic="hallucination",
        name="removal",
        claim="It goes on saying yes when the thing that it was asked for has been taken away",
        tested=share(gone, ("yes", "yes")),
        control=share(other, ("yes", "no"), ("no", "yes")),
        control_is="share of answers about another thing, which stayed, that change",
        rival="its answers waver when anything in the picture changes",
        shows_not="Without the picture the same words get the same answer: TU would be 0 and SB 1, by construction.",
        unit="share of pairs",
        kind="by exact pairs",
        paired=True,
        more={
            "TU": share(gone, ("yes", "no")),
            "IG": share(gone, ("no", "yes")),
            "SB": share(gone, ("yes", "yes"), ("no", "no")),
            "ID": share(other, ("yes", "no"), ("no", "yes")),
        },
    )
