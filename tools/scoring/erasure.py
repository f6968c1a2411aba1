"""Least-squares erasure: the smallest change after which no linear probe finds a concept, and such a probe.

Pure functions. LEACE after Belrose et al. 2023, theorem 4.3: with Σ the covariance of x and W its inverse root,
x − W⁺ P W (x − mean), where P projects on the columns of W Cov(x, z). Probes are ridge regressions on one-hot labels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

RIDGE = 0.1
"""Added to the diagonal of the standardized covariance, times its mean."""
NOTHING = 1e-12
"""Added likewise, so that rows which are all alike are read as nothing."""
FLAT = 1e-6
"""Share of the largest variance below which a direction counts as empty."""


class Probe(NamedTuple):
    """Scores are `(x − mean) @ weights + bias`: above 0 the concept holds."""

    mean: Float[np.ndarray, "width"]
    weights: Float[np.ndarray, "width concept"]
    bias: Float[np.ndarray, "concept"]

    def holds(self, x: Float[np.ndarray, "row width"]) -> Bool[np.ndarray, "row concept"]:
        return (x - self.mean) @ self.weights + self.bias > 0


def probe(x: Float[np.ndarray, "row width"], labels: Bool[np.ndarray, "row concept"]) -> Probe:
    """One ridge probe for each column of labels, in which both classes weigh the same."""
    mean = x.mean(axis=0)
    centered = x - mean
    covariance = centered.T @ centered / len(x)
    ridge = covariance + np.eye(x.shape[1]) * (RIDGE * np.trace(covariance) / x.shape[1] + NOTHING)
    on = labels.astype(np.float64)
    share = on.mean(axis=0)
    high, low = (centered.T @ part / np.maximum(part.sum(axis=0), 1) for part in (on, 1 - on))
    weights = np.linalg.solve(ridge, high - low)
    middle = ((high + low) / 2 * weights).sum(axis=0)
    return Probe(mean, weights, np.where((share > 0) & (share < 1), -middle, -1.0))


def balanced(
    said: Bool[np.ndarray, "row concept"],
    labels: Bool[np.ndarray, "row concept"],
    weights: Float[np.ndarray, "draw row"],
) -> Float[np.ndarray, "draw"]:
    """Balanced accuracy, mean over concepts, under rows of weights; chance is 0.5 whatever is common."""
    right = (said == labels).astype(np.float64)
    parts = []
    for kind in (labels, ~labels):
        there = kind.astype(np.float64)
        total = weights @ there
        parts.append(np.where(total > 0, weights @ (right * there) / np.where(total > 0, total, 1.0), 0.5))
    return np.asarray((parts[0] + parts[1]).mean(axis=1) / 2)


def eraser(
    x: Float[np.ndarray, "row width"],
    labels: Bool[np.ndarray, "row concept"],
    spread: Float[np.ndarray, "width width"] | None = None,
) -> Float[np.ndarray, "width width"]:
    """The matrix A with which x − A (x − mean) is uncorrelated with every column of labels; of at most their rank.

    `spread` is the covariance of what will be changed, where that is not x itself: rows that are means of many tokens
    vary less than the tokens, and in other directions, and the change would be the smallest for the means alone.
    """
    centered = x - x.mean(axis=0)
    z = labels.astype(np.float64) - labels.mean(axis=0)
    values, vectors = np.linalg.eigh(centered.T @ centered / len(x) if spread is None else spread)
    full = values > FLAT * values.max()
    root = np.sqrt(values[full])
    whiten = (vectors[:, full] / root) @ vectors[:, full].T
    unwhiten = (vectors[:, full] * root) @ vectors[:, full].T
    left, sizes, _ = np.linalg.svd(whiten @ (centered.T @ z / len(x)), full_matrices=False)
    kept = left[:, sizes > FLAT * max(float(sizes.max(initial=0.0)), 1e-12)]
    return np.asarray(unwhiten @ kept @ kept.T @ whiten)
