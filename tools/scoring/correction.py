"""Correction for many tests: the false discovery rate of Benjamini and Hochberg 1995.

Pure. Knows p-values, not what they are of.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike


def benjamini_hochberg(p_values: ArrayLike) -> Float[np.ndarray, "test"]:
    """Adjusted p-values, in the order given: reject those ≤ q to keep the expected share of false finds ≤ q.

    Holds for independent and positively dependent tests. Raises ValueError for p outside [0, 1].
    """
    p = np.asarray(p_values, dtype=np.float64).ravel()
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("p-values lie in [0, 1]")
    order = np.argsort(-p)
    ranks = np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum.accumulate(np.minimum(p[order] * len(p) / ranks, 1.0))
    return adjusted
