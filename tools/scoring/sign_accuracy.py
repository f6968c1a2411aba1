"""How often what is written favors the right answer, and how often it would if answers were dealt out at random.

Pure. A component that always writes the same favors some answers and not others, and may be right more often than a
coin; the same effects held against shuffled answers say how often. The test is the exact binomial one.
"""

from __future__ import annotations

from math import comb

import numpy as np
from jaxtyping import Float, Int


def favors(
    logits: Float[np.ndarray, "row option"], right: Int[np.ndarray, "row"]
) -> Float[np.ndarray, "row"]:
    """Logit of each row's right answer (its place among the options), less the mean of the other answers'."""
    return _leads(logits)[np.arange(len(logits)), right]


def shuffled(logits: Float[np.ndarray, "row option"], right: Int[np.ndarray, "row"], sign: int = 1) -> float:
    """Share of rows with an effect of this sign, on average over all ways to deal out the same answers."""
    dealt = np.bincount(right, minlength=logits.shape[1]) / len(right)
    return float(((np.sign(_leads(logits)) == sign) @ dealt).mean())


def sign_test(successes: int, n: int, chance: float) -> float:
    """Two-sided p of `successes` of `n`, where by chance a share of `chance` would be: above its larger reading
    (chance or a coin), or below its smaller one. Raises ValueError for counts that make no share."""
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"a share needs 0 <= successes <= n and n >= 1, got {successes} of {n}")
    above = _at_least(successes, n, max(chance, 0.5))
    below = _at_least(n - successes, n, 1 - min(chance, 0.5))
    return min(1.0, 2 * min(above, below))


def _at_least(successes: int, n: int, chance: float) -> float:
    terms = (comb(n, k) * chance**k * (1 - chance) ** (n - k) for k in range(successes, n + 1))
    return min(1.0, sum(terms))


def _leads(logits: Float[np.ndarray, "row option"]) -> Float[np.ndarray, "row option"]:
    """Each option's logit less the mean of the others'."""
    count = logits.shape[1]
    return (logits * count - logits.sum(axis=1, keepdims=True)) / (count - 1)
