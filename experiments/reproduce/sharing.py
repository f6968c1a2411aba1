"""Whether kinds of one level share their heads more than kinds of different levels do.

Pure: knows each kind's effects and level. Sharing is the Jaccard index of the k heads with the largest (or the most
negative) share of the gap; halves of one kind's pairs say how far two samples of the same can agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.reproduce.effects import Effects, interval, resamples
from experiments.reproduce.recurring import jaccard
from store.values import Estimate

DRAWS = 400
SHUFFLES = 2000
HALVES = 50


class Sharing(NamedTuple):
    """Mean Jaccard index over pairs of kinds of one level, of different levels, their difference (resampled over
    items), and between halves of one kind. `p` is how often shuffled levels differ as much; `chance` what random sets
    share."""

    within: Estimate
    across: Estimate
    difference: Estimate
    halves: Estimate
    p: float
    chance: float

    def as_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            name: getattr(self, name).as_json() for name in ("within", "across", "difference", "halves")
        }
        return told | {"p": round(self.p, 5), "chance": round(self.chance, 4)}


def top(shares: Float[np.ndarray, "head"], k: int, sign: int) -> frozenset[int]:
    """The `k` heads whose shares lie furthest on this side of 0; fewer where fewer do."""
    order = np.argsort(-sign * shares, kind="stable")[:k]
    return frozenset(int(place) for place in order if sign * shares[place] > 0)


def sharing(
    effects: Mapping[str, Effects], levels: Mapping[str, str], k: int, sign: int, seed: int
) -> Sharing:
    """`levels` says of which level each kind is; at least one level needs two kinds, and there must be two levels."""
    kinds = list(effects)
    drawn = [_drawn(effects[kind], seed + place) for place, kind in enumerate(kinds)]
    tables = np.stack([_table([top(one[draw], k, sign) for one in drawn]) for draw in range(DRAWS)])
    found = _table([top(effects[kind].shares, k, sign) for kind in kinds])
    same = _same([levels[kind] for kind in kinds])
    random = np.random.default_rng(seed)
    gap = found[same].mean() - found[~same].mean()
    shuffled = []
    for _ in range(SHUFFLES):
        other = _same([levels[kinds[place]] for place in random.permutation(len(kinds))])
        shuffled.append(found[other].mean() - found[~other].mean())
    heads = len(effects[kinds[0]].shares)
    n = sum(len(one.gaps) for one in effects.values())
    within, across = tables[:, same].mean(axis=1), tables[:, ~same].mean(axis=1)
    return Sharing(
        interval(within, float(found[same].mean()), n),
        interval(across, float(found[~same].mean()), n),
        interval(within - across, float(gap), n),
        _halves([effects[kind] for kind in kinds], k, sign, random),
        float((1 + (np.array(shuffled) >= gap - 1e-12).sum()) / (1 + SHUFFLES)),
        _chance(heads, k, random),
    )


def _drawn(effects: Effects, seed: int) -> Float[np.ndarray, "draw head"]:
    return effects.drawn(resamples(len(effects.gaps), seed, draws=DRAWS))


def _table(sets: Sequence[frozenset[int]]) -> Float[np.ndarray, "couple"]:
    return np.array([jaccard(one, other) for one, other in combinations(sets, 2)])


def _same(levels: Sequence[str]) -> np.ndarray:
    """[couple] whether both kinds are of one level."""
    return np.array([one == other for one, other in combinations(levels, 2)])


def _halves(effects: Sequence[Effects], k: int, sign: int, random: np.random.Generator) -> Estimate:
    found = []
    for _ in range(HALVES):
        each = []
        for one in effects:
            order = random.permutation(len(one.gaps)).tolist()
            both = (order[: len(order) // 2], order[len(order) // 2 :])
            each.append(jaccard(*(top(one.of(half).shares, k, sign) for half in both)))
        found.append(float(np.mean(each)))
    return interval(np.array(found), float(np.mean(found)), sum(len(one.gaps) for one in effects))


def _chance(heads: int, k: int, random: np.random.Generator) -> float:
    drawn = [
        jaccard(*(frozenset(random.permutation(heads)[:k].tolist()) for _ in range(2)))
        for _ in range(SHUFFLES)
    ]
    return float(np.mean(drawn))
