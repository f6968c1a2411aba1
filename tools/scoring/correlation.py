"""Population Pearson correlation: how well a concept's presence predicts a component's value over all stimuli.

Pure functions. A side that does not vary predicts nothing and is predicted by nothing: its correlation is 0, not NaN.
The primary score of Oikarinen et al. 2025 ("NeuronEval"), who find that it notices missing and extra labels alike.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from tools.scoring.bootstrap import Resampled
from tools.scoring.student import two_sided

_FLAT = 1e-12
"""Variance, in units of the whole column's, below which a resampled column counts as constant."""
LEAST_P = 1e-12
"""p below which no difference is made."""


def standardized(columns: Float[np.ndarray, "row column"]) -> Float[np.ndarray, "row column"]:
    """Mean 0 and variance 1 in each column; a constant column becomes 0."""
    numbers = np.asarray(columns, dtype=np.float64)
    centered = numbers - numbers.mean(axis=0)
    spread = centered.std(axis=0)
    return centered / np.where(spread > 1e-12 * (1 + np.abs(numbers).max(axis=0)), spread, np.inf)


def correlations(
    concepts: Bool[np.ndarray, "concept stimulus"] | Float[np.ndarray, "concept stimulus"],
    values: Float[np.ndarray, "stimulus component"],
) -> Float[np.ndarray, "concept component"]:
    """Pearson correlation of every concept with every component, in [−1, 1]."""
    return standardized(concepts.T).T @ standardized(values) / len(values)


def pearson(
    values: Float[np.ndarray, "stimulus component"],
    concepts: Float[np.ndarray, "stimulus component"],
    weights: Float[np.ndarray, "draw stimulus"],
) -> Float[np.ndarray, "draw component"]:
    """Correlation of each column of `values` with its own column of `concepts`, under every row of weights.

    `weights[d, i]` ≥ 0 says how often draw d has stimulus i; a row of ones gives the plain population value.
    """
    a, c = standardized(values), standardized(concepts)
    total = weights.sum(axis=1, keepdims=True)
    mean_a, mean_c = weights @ a / total, weights @ c / total
    variance_a = np.maximum(weights @ a**2 / total - mean_a**2, 0)
    variance_c = np.maximum(weights @ c**2 / total - mean_c**2, 0)
    covariance = weights @ (a * c) / total - mean_a * mean_c
    varies = (variance_a > _FLAT) & (variance_c > _FLAT)
    scale = np.sqrt(np.where(varies, variance_a * variance_c, 1.0))
    return np.where(varies, np.clip(covariance / scale, -1, 1), 0.0)


def p_values(rho: Resampled) -> Float[np.ndarray, "component"]:
    """Two-sided p of "ρ is 0": the bootstrap's, and Student's where no draw of it lies on the other side of 0.

    A share of D draws can't be below 2 / (D + 1), so that one find among thousands of components would never survive a
    correction for their number. There ρ is taken in Fisher's scale, in units of its spread over the same draws, with
    one degree of freedom less than there are scenes. Never below LEAST_P.
    """
    found = rho.p_values()
    z, drawn = _fisher(rho.value), _fisher(rho.draws)
    spread = np.maximum(drawn.std(axis=0), 1e-12)
    for place in np.flatnonzero(found * (len(drawn) + 1) < 2.5):
        tail = two_sided(float(z[place] / spread[place]), max(rho.n - 1, 1))
        found[place] = min(found[place], max(tail, LEAST_P))
    return found


def _fisher(rho: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """atanh, finite at ±1 as well (Fisher 1921)."""
    return np.asarray(np.arctanh(np.clip(rho, -1 + 1e-12, 1 - 1e-12)))
