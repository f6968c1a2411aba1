"""Carriers: components whose transplant between the sides of pairs moves the answer; ranked by guess, verified exactly.

One half of the pairs ranks (attribution.py), the other verifies by patching, so that the best of thousands is not
believed for having been the best. Controls are random components, patched alike, and pairs whose sides are shuffled.
Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from store.address import Address
from store.errors import PlannerError
from store.records import Quantity
from tools.methods.attention import spearman
from tools.methods.attribution import Attributed, attributed
from tools.methods.contrasts import paired_p, ratio_of_sums
from tools.methods.transplants import GAP, Positions, Runs, transplanted
from tools.methods.values import others
from tools.scoring.correction import benjamini_hochberg

if TYPE_CHECKING:
    from tools.context import ToolContext
    from tools.methods.duels import Duel

LEVEL = 0.05
"""False discoveries among what is verified."""
FLIPS = 400
"""Shufflings of the pairs' sides."""


class Carrier(NamedTuple):
    """A component as it was ranked and verified. `guess` is its attribution as a share of the gap, on the pairs that
    rank; `denoising` and `noising` are exact, on the others. `sufficient` and `necessary`: surely more than 0, after
    correction, and than random components."""

    address: Address
    guess: float
    denoising: Quantity
    noising: Quantity
    sufficient: bool
    necessary: bool


class Carried(NamedTuple):
    """`shuffled` is the largest |attribution| of any component that pairs with shuffled sides give in 95 of 100 cases;
    `agreement` the rank correlation of guess and exact denoising over all that was patched."""

    carriers: tuple[Carrier, ...]
    shuffled: float
    agreement: Quantity
    gap: Quantity


def carriers(
    context: ToolContext, told: Sequence[Duel], components: Sequence[Address], k: int, *, direct: bool = False
) -> Carried:
    """The `k` components with the largest guessed effect, verified. With `direct` at the answer position alone.

    Raises PlannerError of kind "gap" where the target hardly tells the sides of the pairs apart.
    """
    half = len(told) // 2
    guessed = attributed(context, told, components, direct=direct)
    ranking, checking = slice(0, half), slice(half, None)
    gap = min(float(guessed.gaps[part].mean()) for part in (ranking, checking))
    if gap < GAP["margin"]:
        raise PlannerError(
            f"the target hardly tells the two sides apart (mean gap {gap:.3f} logits): a share of that would be noise",
            kind="gap",
            hint="choose a concept that the target's answers show",
        )
    shares = guessed.both[ranking].sum(axis=0) / guessed.gaps[ranking].sum()
    places = np.argsort(-np.abs(shares), kind="stable")[:k].tolist()
    best = [components[place] for place in places]
    controls = _controls(context, best, components)
    positions: Positions = "answer" if direct else "all"
    runs = transplanted(context, told[checking], [[one] for one in (*best, *controls)], positions)
    seed = context.derived_seed("carriers", *map(str, best))
    exact = [_exact(runs, place, len(best), seed) for place in range(len(best))]
    surely = _surely(runs, len(best))
    found = tuple(
        Carrier(address, float(shares[place]), *both, *sure)
        for address, place, both, sure in zip(best, places, exact, surely, strict=True)
    )
    order = {address: place for place, address in enumerate(components)}
    columns = [order[address] for address in (*best, *controls)]
    return Carried(
        found,
        _shuffled(guessed, ranking, context.derived_seed("shuffled")),
        _agreement(guessed.denoising[checking][:, columns], runs, seed),
        Quantity(value=float((runs.clean - runs.corrupt).mean()), unit="logits", n=len(runs.clean)),
    )


def _controls(context: ToolContext, best: Sequence[Address], components: Sequence[Address]) -> list[Address]:
    """As many random components that are not among the best: of the same sites where these have others left."""
    known, found = set(components), list[Address]()
    for address in best:
        siblings = others(context, address, 10**6, "carriers")
        free = [one for one in siblings if one in known and one not in best and one not in found]
        if not free:
            rest = [one for one in components if one not in best and one not in found]
            free = [rest[context.derived_seed(address, "control") % len(rest)]] if rest else []
        found += free[:1]
    return found


def _exact(runs: Runs, place: int, best: int, seed: int) -> tuple[Quantity, Quantity]:
    """Denoising and noising of one of the best beside the mean of all controls."""
    gaps, rows = runs.clean - runs.corrupt, [place, *range(best, len(runs.denoised))]
    return (
        ratio_of_sums(runs.denoised[rows] - runs.corrupt, gaps, seed),
        ratio_of_sums(runs.clean - runs.noised[rows], gaps, seed),
    )


def _surely(runs: Runs, best: int) -> list[tuple[bool, bool]]:
    """Whether what is restored, and what is lost, differs from 0 upward and from what random components do."""
    moved = np.stack([runs.denoised - runs.corrupt, runs.clean - runs.noised])
    beyond = moved[:, :best] - moved[:, best:].mean(axis=1, keepdims=True) if moved.shape[1] > best else moved
    p = [
        max(paired_p(own), paired_p(more))
        for own, more in zip(moved[:, :best].reshape(2 * best, -1), beyond.reshape(2 * best, -1), strict=True)
    ]
    sure = (benjamini_hochberg(p) < LEVEL).reshape(2, best)
    up = (moved[:, :best].mean(axis=2) > 0) & (beyond.mean(axis=2) > 0)
    return [(bool(one), bool(other)) for one, other in (sure & up).T]


def _shuffled(guessed: Attributed, ranking: slice, seed: int) -> float:
    """Every pair's sides keep or change places by the toss of a coin, and with them the sign of what it attributes."""
    both, gaps = guessed.both[ranking], guessed.gaps[ranking]
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(FLIPS, len(both)))
    return float(np.quantile(np.abs(signs @ both).max(axis=1), 0.95) / gaps.sum())


def _agreement(guesses: Float[np.ndarray, "pair component"], runs: Runs, seed: int) -> Quantity:
    """Over components, with its interval resampled over them."""
    one, other = guesses.sum(axis=0), (runs.denoised - runs.corrupt).sum(axis=1)
    value = spearman(one, other)
    random, drawn = np.random.default_rng(seed), []
    for _ in range(FLIPS):
        picked = random.integers(len(one), size=len(one))
        drawn.append(spearman(one[picked], other[picked]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    ci = (min(float(low), value), max(float(high), value))
    return Quantity(value=value, unit="rank correlation", ci=ci, n=len(one), control=0.0)
