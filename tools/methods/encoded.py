"""Encoded: how well a linear probe reads a concept off the picture tokens, beside the same probe for shuffled labels.

Knows which pictures a concept's words hold in (by the planner's judge), probes, and the control task of Hewitt and
Liang 2019; knows nothing about use (probe.py). Not a tool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Bool

from store.errors import PlannerError, UserError
from store.records import Answer
from store.values import Estimate
from tools.methods.contested import ASKED
from tools.methods.piles import presence_of
from tools.scoring.bootstrap import resamples
from tools.scoring.erasure import balanced
from tools.scoring.erasure import probe as fitted
from tools.scoring.retrieval import HOLDS

if TYPE_CHECKING:
    from tools.context import ToolContext
    from tools.methods.erased import Streams

FEWEST = 12
"""Pictures with a word, and without it, that a probe needs."""
SHUFFLES = 5
DRAWS = 500
LITTLE = 0.1
"""Balanced accuracy above shuffled labels' below which nothing is called encoded."""


class Encoded(NamedTuple):
    """Balanced accuracy of the best site's probe on pictures that it was neither made nor chosen from, and the mean of
    probes for shuffled labels."""

    site: str
    accuracy: Estimate
    control: float

    @property
    def verdict(self) -> Answer:
        """Whether it is encoded."""
        chance = max(0.5, self.control)
        if self.accuracy.low > chance + LITTLE / 2:
            return "yes"
        return "no" if self.accuracy.high < chance + LITTLE else "undetermined"


def labelled(
    context: ToolContext, concept: str, pictures: int
) -> tuple[tuple[str, ...], Bool[np.ndarray, "picture word"], list[int]]:
    """The words that are probed, and in which pictures each holds. Raises PlannerError where none is often enough."""
    order = context.random("probe").permutation(len(context.images))[:pictures]
    numbers = sorted(map(int, order))
    named: tuple[str, ...] = (concept,)
    if concept in context.images.kinds:
        stimuli = context.images.ask(concept, ASKED, context.derived_seed("kind", concept) % 1000)
        named = tuple(sorted({one.answer for one in stimuli}))
    kept, columns = [], []
    for word in named:
        try:
            holds = presence_of(context, word, numbers) >= HOLDS
        except UserError:
            if len(named) == 1:
                raise
            continue
        if min(int(holds.sum()), int((~holds).sum())) >= FEWEST:
            kept.append(word)
            columns.append(holds)
    if not kept:
        raise PlannerError(
            f"`{concept}` holds in too few of {len(numbers)} pictures, or in too many, to be probed",
            kind="rare",
            hint="take a concept that is neither everywhere nor nowhere",
        )
    return tuple(kept), np.stack(columns, axis=1), numbers


def encoded(found: Streams, labels: Bool[np.ndarray, "picture word"], seed: int) -> Encoded:
    """Made on one third of the pictures, chosen on the second, told on the last."""
    random = np.random.default_rng(seed)
    make, choose, tell = np.array_split(random.permutation(len(labels)), 3)
    even = np.ones((1, len(choose)))
    sites = list(found.pooled)
    scores = [
        float(balanced(fitted(x[make], labels[make]).holds(x[choose]), labels[choose], even)[0])
        for x in found.pooled.values()
    ]
    site = sites[int(np.argmax(scores))]
    x, both = found.pooled[site], np.concatenate([make, choose])
    said = fitted(x[both], labels[both]).holds(x[tell])
    plain = float(balanced(said, labels[tell], np.ones((1, len(tell))))[0])
    drawn = balanced(said, labels[tell], resamples(range(len(tell)), draws=DRAWS, seed=seed).weights)
    low, high = np.quantile(drawn, [0.025, 0.975])
    shuffled = []
    for _ in range(SHUFFLES):
        other = labels[random.permutation(len(labels))]
        guess = fitted(x[both], other[both]).holds(x[tell])
        shuffled.append(float(balanced(guess, other[tell], np.ones((1, len(tell))))[0]))
    accuracy = Estimate(plain, min(float(low), plain), max(float(high), plain), len(tell))
    return Encoded(str(site), accuracy, float(np.mean(shuffled)))


def own_kinds(context: ToolContext, concept: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """Kinds of questions that are about the concept: those whose answers its words are."""
    if concept in context.images.kinds:
        return (concept,)
    said = {part for word in words for part in word.split()}
    found = []
    for kind in context.images.kinds:
        stimuli = context.images.ask(kind, ASKED, context.derived_seed("kind", kind) % 1000)
        if said & {one.answer for one in stimuli}:
            found.append(kind)
    return tuple(found[:2])
