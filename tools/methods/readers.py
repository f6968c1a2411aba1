"""Readers: components that answer to a concept, found over pairs and verified on others.

One half of the pairs ranks every component under each of its readings, by the paired t of its activation; the other
half gives the effect, beside random components that had the same choice of readings. AUROC on the presence of the
concept over the index's own pictures stands beside it: pairs may differ in more than meets activations elsewhere.
Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from store.address import Address
from store.records import Quantity, Reading, Scope, Sign
from tools.methods.carriers import LEVEL
from tools.methods.contrasts import auroc, paired, paired_p, with_control
from tools.methods.piles import presence_of
from tools.pools import side
from tools.scoring.correction import benjamini_hochberg
from tools.scoring.retrieval import HOLDS

if TYPE_CHECKING:
    from tools.context import ToolContext
    from tools.stimuli import Pair

SIGNS: tuple[Sign, ...] = ("+", "-")
SCOPES: tuple[Scope, ...] = ("visual", "question", "answer")
CONTROLS = 24
"""Random components that an effect is compared with."""
FEWEST = 8
"""Pictures with the concept, and without it, that an AUROC needs."""


class Reader(NamedTuple):
    """`effect` is with − without in sd of the component, on pairs that did not rank it; `area` is its AUROC on the
    index's pictures, None where too few show the concept (or do not). `sure`: more than 0 and than random components
    after correction."""

    address: Address
    reading: Reading
    rank: float
    effect: Quantity
    area: Quantity | None
    sure: bool


class Values(NamedTuple):
    """What every component has under every reading on both sides of pairs, in sd of the component."""

    readings: tuple[Reading, ...]
    differences: Float[np.ndarray, "reading pair component"]


def readers(
    context: ToolContext, pairs: Sequence[Pair], components: Sequence[Address], concept: str, k: int
) -> tuple[Reader, ...]:
    """The `k` components that most reliably rise with the concept, each under its best reading."""
    measured = _values(context, pairs, components)
    half = len(pairs) // 2
    t = _t(measured.differences[:, :half])
    best = t.argmax(axis=0)
    order = np.argsort(-t.max(axis=0), kind="stable")
    top = order[:k].tolist()
    seed = context.derived_seed("readers", concept)
    drawn = np.random.default_rng(seed).permutation(order[k:])[:CONTROLS].tolist()
    held = measured.differences[:, half:]
    others = (
        np.stack([held[best[place], :, place] for place in drawn]) if drawn else np.zeros((0, held.shape[1]))
    )
    found, p = [], []
    for place in top:
        own = held[best[place], :, place]
        effect = with_control(paired(own, 1.0, seed=seed), others.mean(axis=1), seed=seed)
        reading = measured.readings[best[place]]
        area = _area(context, components[place], reading, concept)
        p.append(paired_p(own))
        found.append(Reader(components[place], reading, float(t[best[place], place]), effect, area, False))
    sure = benjamini_hochberg(p) < LEVEL
    return tuple(
        one._replace(sure=bool(yes) and _beyond(one.effect)) for one, yes in zip(found, sure, strict=True)
    )


def _beyond(effect: Quantity) -> bool:
    """Whether the interval lies above 0 and above what random components do."""
    low = effect.ci[0] if effect.ci else 0.0
    return low > max(0.0, effect.control_ci[1] if effect.control_ci else effect.control or 0.0)


def _values(context: ToolContext, pairs: Sequence[Pair], components: Sequence[Address]) -> Values:
    """Readings without tokens (the answer, in the vision tower) differ by 0 everywhere; so do dead components."""
    stimuli = [side for pair in pairs for side in (pair.with_, pair.without)]
    pooled = context.activations.pooled(components, stimuli)
    readings = tuple(Reading(sign=sign, scope=scope) for scope in SCOPES for sign in SIGNS)
    found = []
    for reading in readings:
        table = side(pooled, reading).astype(np.float64)
        spread = np.array([context.index.entry(one).side(reading).sd for one in components])
        sd = np.where(spread > 0, spread, np.inf)
        found.append(np.nan_to_num((table[0::2] - table[1::2]) / sd))
    return Values(readings, np.stack(found))


def _t(differences: Float[np.ndarray, "reading pair component"]) -> Float[np.ndarray, "reading component"]:
    """Mean over its standard error; a hundredth of an sd is added to the spread, so that a component that hardly moves
    does not come first for moving evenly."""
    n = differences.shape[1]
    return differences.mean(axis=1) / ((differences.std(axis=1, ddof=1) + 0.01) / np.sqrt(n))


def _area(context: ToolContext, address: Address, reading: Reading, concept: str) -> Quantity | None:
    numbers = context.index.sample_numbers.tolist()
    holds = presence_of(context, concept, numbers) >= HOLDS
    if min(int(holds.sum()), int((~holds).sum())) < FEWEST:
        return None
    sample = context.index.sample([address], reading)[:, 0].astype(np.float64)
    return auroc(sample[holds], sample[~holds])
