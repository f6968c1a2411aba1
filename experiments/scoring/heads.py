"""What a head does, scored: what it reads, what it writes, and what is lost when it is cut.

Functions of arrays that were measured on held-out stimuli; knows nothing about models. Each score stands beside what
would be reached without the claim: the share of tokens of the class, a coin, other heads.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Bool, Float

from store.records import Claim, Score, Split
from store.values import Estimate
from tools.scoring import token_class
from tools.scoring.bootstrap import DRAWS, Resampled, Resamples, resampled, resamples
from tools.scoring.intervals import wilson

COIN = 0.5
ORDINARY = 0.95
"""Share of random heads that a head's effect must exceed."""


def reads(
    attention: Float[np.ndarray, "row token"],
    of_class: Bool[np.ndarray, "row token"],
    shown: Bool[np.ndarray, "row token"],
    *,
    split: Split,
    groups: Sequence[Hashable] | None = None,
    judge: str = "",
    draws: int = DRAWS,
    seed: int = 0,
) -> Score:
    """AUPRC of a token class against attention from a stated position: 1 where attention ranks its tokens first.

    A row is one query; `shown` marks the tokens that there are (rows differ in length), `groups` the pictures that
    rows belong to, which are what `n` counts. `null` is the share of tokens that are of the class, which attention to
    no token in particular reaches. Raises ValueError where no token, or every one, is of the class.
    """
    told = token_class.found(attention, of_class, shown, groups=groups, draws=draws, seed=seed)
    return _score(told.auprc, told.auprc.n, split, null=told.chance, judge=judge)


def writes(
    effect: Float[np.ndarray, "row"],
    claimed: Float[np.ndarray, "row"],
    *,
    split: Split,
    null: float = COIN,
    groups: Sequence[Hashable] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Score:
    """Sign accuracy: the share of rows in which the direct effect has the sign that is claimed for them.

    `effect` is the head's direct effect on the named answers in logits, less that on the other answers; `claimed` is
    above 0 where it should raise them and below where it should lower them. An effect of exactly 0 is wrong. `null` is
    never below a coin's: a head that always writes the same can be right more often. Wilson's interval where every row
    is a scene of its own, else the bootstrap over `groups`. Raises ValueError for no rows or a claim of 0.
    """
    if not len(effect) or not np.all(claimed):
        raise ValueError("sign accuracy needs rows with a claimed sign")
    right = np.sign(effect) == np.sign(claimed)
    if groups is None or len(set(groups)) == len(right):
        estimate = wilson(int(right.sum()), len(right))
    else:
        drawn = resamples(groups, draws=draws, seed=seed)
        shares = drawn.weights @ right / drawn.weights.sum(axis=1)
        estimate = resampled(shares[:, None], drawn).estimates()[0]
    return _score(estimate, len(right), split, null=max(null, COIN))


def when_cut(
    named: Float[np.ndarray, "head row"],
    others: Float[np.ndarray, "head other_row"],
    *,
    split: Split,
    named_groups: Sequence[Hashable] | None = None,
    other_groups: Sequence[Hashable] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Score:
    """Drop of the right answer's margin on the named question kind, less the drop on other kinds, when the head is cut.

    Row 0 of both tables is the head, the others are random heads of the same tower, cut on the same questions. `null`
    is the 95th percentile of the random heads' differences, and never below 0. Raises ValueError without random heads.
    """
    if len(named) < 2 or len(named) != len(others):
        raise ValueError("a cut is compared with that of other heads on the same questions")
    drops = _mean(named, named_groups, draws, seed) - _mean(others, other_groups, draws, seed + 1)
    ordinary = max(0.0, float(np.quantile(drops.value[1:], ORDINARY)))
    return _score(drops.estimates()[0], named.shape[1] + others.shape[1], split, null=ordinary)


def claim(score: Score, *, against: str) -> Claim:
    """`yes` where the whole interval lies above the null, `no` where it lies below it, else `undetermined`.

    `against` says in words what the null is.
    """
    assert score.null is not None
    low, high = score.ci
    verdict = "yes" if low > score.null else "no" if high <= score.null else "undetermined"
    return Claim.model_validate(
        {
            "verdict": verdict,
            "effect": score.value,
            "ci": score.ci,
            "control": score.null,
            "because": f"control: {against}",
        }
    )


def _mean(
    drops: Float[np.ndarray, "head row"], groups: Sequence[Hashable] | None, draws: int, seed: int
) -> Resampled:
    drawn: Resamples = resamples(
        groups if groups is not None else range(drops.shape[1]), draws=draws, seed=seed
    )
    return resampled(drawn.weights @ drops.T / drawn.weights.sum(axis=1, keepdims=True), drawn)


def _score(estimate: Estimate, n: int, split: Split, *, null: float, judge: str = "") -> Score:
    return Score(
        value=estimate.value, ci=(estimate.low, estimate.high), n=n, split=split, null=null, judge=judge
    )
