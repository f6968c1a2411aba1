"""Is an effect small enough to be called none? Two one-sided tests, and what the sample could have noticed.

That a difference was not found does not show that there is none. Schuirmann 1987: an effect is equivalent to zero
within ±δ at 5 % when its 90 % interval lies inside ±δ. Samples of one group (a scene) count together.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from store.values import Estimate
from tools.scoring.intervals import totals
from tools.scoring.student import quantile, two_sided

POWER = 0.8


@dataclass(frozen=True, slots=True)
class Equivalence:
    """`effect` is the mean with its 95 % interval, in the unit of the values; `inner` is the 90 % interval.

    `equivalent` says that `inner` lies inside ±`bound`; `differs` that the 95 % interval leaves zero out (both can be:
    an effect that is real and too small to matter). `detectable` is the smallest true effect that this sample would
    have told from zero four times in five.
    """

    effect: Estimate
    inner: tuple[float, float]
    bound: float
    equivalent: bool
    differs: bool
    detectable: float
    p_value: float

    @property
    def verdict(self) -> str:
        """`equivalent`, `different` or `undetermined`; a small real effect inside the bound is `equivalent`."""
        if self.equivalent:
            return "equivalent"
        return "different" if self.differs else "undetermined"


def equivalence(values: ArrayLike, bound: float, groups: Sequence[Hashable] | None = None) -> Equivalence:
    """Tests whether the mean of `values` is zero within ±`bound` (> 0).

    Intervals are Student's, with the standard error over groups. `p_value` is that of "the mean is 0", two-sided.
    Raises ValueError on fewer than two groups, values that are not finite, or a bound that is not positive.
    """
    if not bound > 0:
        raise ValueError(f"an equivalence bound is positive, got {bound}")
    numbers = np.asarray(values, dtype=np.float64).ravel()
    if not np.isfinite(numbers).all():
        raise ValueError("the mean of values that are not finite is not a number")
    sums, counts = totals(numbers, groups)
    n = len(sums)
    if n < 2:
        raise ValueError(f"an interval needs at least two independent samples, got {n}")
    mean = float(sums.sum() / counts.sum())
    error = sqrt(n / (n - 1) * float(((sums - mean * counts) ** 2).sum())) / float(counts.sum())
    outer, inner = (quantile(share, n - 1) * error for share in (0.975, 0.95))
    return Equivalence(
        effect=Estimate(mean, mean - outer, mean + outer, n),
        inner=(mean - inner, mean + inner),
        bound=bound,
        equivalent=abs(mean) + inner < bound,
        differs=abs(mean) > outer,
        detectable=(quantile(0.975, n - 1) + quantile(POWER, n - 1)) * error,
        p_value=two_sided(mean / error, n - 1) if error > 0 else float(mean == 0),
    )
